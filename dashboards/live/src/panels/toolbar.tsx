/** Title and what can be set for the whole page; everything set here is in the address. */
import { Segments } from '../parts/segments.js';
import { changeView, format, language, messages, view } from '../state.js';
import { LANGUAGES, RANGES } from '../view.js';

const LANGUAGE_NAMES = { en: 'English', ru: 'Русский' } as const;

export function Toolbar() {
  const m = messages.value;
  const { range, zoom, theme } = view.value;
  const chosenTheme = theme ?? 'auto';
  return (
    <header class="toolbar">
      <h1>{m.title}</h1>
      <div class="controls period">
        {zoom !== null && <Zoom from={zoom.from} to={zoom.to} />}
        <Segments
          label={m.period}
          options={RANGES.map((value) => ({ value, label: m.ranges[value] }))}
          chosen={zoom === null ? range : null}
          onChoose={(value) => changeView({ range: value, zoom: null }, 'step')}
        />
      </div>
      <div class="controls">
        <Segments
          label={m.language}
          options={LANGUAGES.map((value) => ({
            value,
            label: value.toUpperCase(),
            title: LANGUAGE_NAMES[value],
          }))}
          chosen={language.value}
          onChoose={(lang) => changeView({ lang })}
        />
        <Segments
          label={m.theme}
          options={[
            { value: 'auto', label: '◐', name: m.themes.auto },
            { value: 'light', label: '☀', name: m.themes.light },
            { value: 'dark', label: '☾', name: m.themes.dark },
          ]}
          chosen={chosenTheme}
          onChoose={(value) => changeView({ theme: value === 'auto' ? null : value })}
        />
      </div>
    </header>
  );
}

function Zoom({ from, to }: { readonly from: number; readonly to: number }) {
  return (
    <span class="zoom">
      <span>{format.value.period(from, to)}</span>
      <button type="button" onClick={() => changeView({ zoom: null }, 'step')}>
        {messages.value.backToLive}
      </button>
    </span>
  );
}
