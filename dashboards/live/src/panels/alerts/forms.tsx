/** Taking an alert in hand, and silencing a rule. */
import { useSignal } from '@preact/signals';
import type { AlertWire } from '../../../../../streams/alerts-view.js';
import { Segments } from '../../parts/segments.js';
import { alerts, clock, format, messages } from '../../state.js';
import { Dialog, Field } from './dialog.js';
import { nameOf } from './quantity.js';
import { endOf, SILENCE_SPANS, type SilenceSpan } from './silencing.js';
import { acknowledge, doing, rememberedName, rememberName, silence } from './state.js';

/** As the server takes them (src/http/alert-request.ts). */
const NAME = 100;
const TEXT = 500;

export function Asking() {
  const now = doing.value;
  if (now === null) return null;
  return now.what === 'ack' ? <Ack alert={now.alert} /> : <Silence rule={now.rule} />;
}

function Ack({ alert }: { readonly alert: AlertWire }) {
  const m = messages.value.alerts;
  const by = useSignal(rememberedName());
  const note = useSignal('');
  return (
    <Dialog
      title={`${m.form.ackTitle}: ${nameOf(alert, m.rules)}`}
      meaning={m.form.ackMeaning}
      save={() => {
        rememberName(by.value);
        return acknowledge(alert.id, by.value, note.value);
      }}
    >
      <Field
        {...{ label: m.form.by, value: by.value, most: NAME, focused: true }}
        onInput={(text) => {
          by.value = text;
        }}
      />
      <Field
        {...{ label: m.form.note, value: note.value, most: TEXT, multiline: true }}
        onInput={(text) => {
          note.value = text;
        }}
      />
    </Dialog>
  );
}

function Silence({ rule: given }: { readonly rule: string | null }) {
  const m = messages.value.alerts;
  const known = alerts.value.value?.rules ?? [];
  const rule = useSignal(given ?? known[0]?.name ?? '*');
  const span = useSignal<SilenceSpan>('1h');
  const reason = useSignal('');
  const by = useSignal(rememberedName());
  const missing = useSignal(false);
  const names =
    known.length > 0 ? known.map(({ name }) => name) : [rule.value].filter((name) => name !== '*');
  return (
    <Dialog
      title={m.form.silenceTitle}
      meaning={m.form.silenceMeaning}
      save={() => {
        missing.value = reason.value.trim() === '';
        if (missing.value) return undefined;
        rememberName(by.value);
        const endsAt = endOf(span.value, Date.now());
        return silence({ rule: rule.value, endsAt, reason: reason.value, by: by.value });
      }}
    >
      <p class="answer">
        <label for="asking-rule">{m.form.rule}</label>
        <select
          id="asking-rule"
          value={rule.value}
          onChange={(event) => {
            rule.value = event.currentTarget.value;
          }}
        >
          {names.map((name) => (
            <option key={name} value={name}>
              {m.rules[name]?.name ?? name}
            </option>
          ))}
          <option value="*">{m.form.allRules}</option>
        </select>
      </p>
      <div class="answer">
        <span aria-hidden="true">{m.form.until}</span>
        <Segments
          label={m.form.until}
          options={SILENCE_SPANS.map((value) => ({ value, label: m.form.spans[value] }))}
          chosen={span.value}
          onChoose={(value) => {
            span.value = value;
          }}
        />
        <span class="quiet">
          {m.form.ends(format.value.moment(endOf(span.value, clock.value), clock.value))}
        </span>
      </div>
      <Field
        {...{ label: m.form.reason, value: reason.value, most: TEXT, multiline: true, focused: true }}
        wrong={missing.value ? m.form.reasonMissing : undefined}
        onInput={(text) => {
          reason.value = text;
          missing.value = false;
        }}
      />
      <Field
        {...{ label: m.form.by, value: by.value, most: NAME }}
        onInput={(text) => {
          by.value = text;
        }}
      />
    </Dialog>
  );
}
