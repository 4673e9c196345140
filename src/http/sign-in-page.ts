/**
 * The pages that trade a token for a session and end it: plain HTML without a script, so that they work under the
 * strictest policy and before anything of the dashboard may be read.
 */
import { createHash } from 'node:crypto';

export type Language = 'en' | 'ru';

const TEXTS = {
  en: {
    title: 'Customer sync monitor',
    signIn: 'Sign in',
    token: 'Access token',
    hint: 'Whoever runs the monitor has it: AUTH_TOKEN for everything, VIEWER_TOKEN to look.',
    signOut: 'Sign out',
    signOutHint: 'This browser will need the token again.',
    back: 'Back to the dashboard',
    token_invalid: 'This token is not known.',
    role_not_allowed: 'This token is for metrics only; it does not open the page.',
    too_many_attempts: 'Too many wrong tokens came from this address. Try again in a minute.',
    body_too_long: 'No token is that long.',
    refused: 'The browser did not say that this came from the page itself. Open the page by its own address.',
  },
  ru: {
    title: 'Монитор синхронизации клиентов',
    signIn: 'Войти',
    token: 'Токен доступа',
    hint: 'Токен выдаёт администратор монитора: AUTH_TOKEN даёт полный доступ, VIEWER_TOKEN только просмотр.',
    signOut: 'Выйти',
    signOutHint: 'Для входа с этого браузера снова понадобится токен.',
    back: 'Вернуться к панели',
    token_invalid: 'Такой токен неизвестен.',
    role_not_allowed: 'Этот токен только для метрик и страницу не открывает.',
    too_many_attempts: 'С этого адреса пришло слишком много неверных токенов. Повторите через минуту.',
    body_too_long: 'Токен не может быть таким длинным.',
    refused:
      'Браузер не подтвердил, что запрос отправлен с самой страницы. Откройте страницу по её собственному адресу.',
  },
} as const;

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; }
main { box-sizing: border-box; width: min(24rem, 100%); padding: 1.5rem; }
h1 { margin: 0 0 1rem; font-size: 1.25rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input, button { margin: .25rem 0 1rem; padding: .6rem .75rem; border: 1px solid GrayText; border-radius: .375rem; }
button { cursor: pointer; border-color: #1d4ed8; background: #1d4ed8; color: #fff; font-weight: 600; }
:focus-visible { outline: 3px solid #60a5fa; outline-offset: 2px; }
p { margin: 0 0 1rem; font-size: .875rem; }
[role=alert] { padding: .5rem .75rem; border: 1px solid #b91c1c; border-radius: .375rem; font-weight: 600; }
[hidden] { display: none; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** No script at all; the form may be sent to us alone. */
export const SIGN_IN_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The language of a browser that accepts these; `lang` of the address goes before. */
export function pageLanguage(lang: string | null, accepted: string | undefined): Language {
  if (lang === 'en' || lang === 'ru') return lang;
  let best: { readonly language: Language; readonly q: number } = { language: 'en', q: 0 };
  for (const part of (accepted ?? '').split(',').slice(0, 32)) {
    const [tag = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const language = tag.split('-', 1)[0];
    const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const q = given === undefined ? 1 : Number(given) || 0;
    if ((language === 'en' || language === 'ru') && q > best.q) best = { language, q };
  }
  return best.language;
}

export interface SignInPage {
  readonly language: Language;
  /** The code of a refusal. */
  readonly fault?: string | undefined;
  /** What the address said behind `?`: the view that the page comes back to. */
  readonly query: string;
  /** From the page's address to where the forms go, '' or '../'. */
  readonly base: string;
}

export function signInPage({ language, fault, query, base }: SignInPage): string {
  const texts = TEXTS[language];
  const known = fault !== undefined && fault in texts ? texts[fault as keyof typeof texts] : texts.refused;
  const alert = fault === undefined ? '' : `<p role="alert" id="fault">${escapeHtml(known)}</p>`;
  return document(
    language,
    texts.signIn,
    `${alert}
<form method="post" action="${base}sign-in">
<input type="hidden" name="query" value="${escapeHtml(query)}">
<input type="text" name="user" value="sync-monitor" autocomplete="username" tabindex="-1" aria-hidden="true" hidden>
<label for="token">${escapeHtml(texts.token)}</label>
<input id="token" type="password" name="token" autocomplete="current-password" required autofocus maxlength="4096"${fault === undefined ? '' : ' aria-invalid="true" aria-describedby="fault"'}>
<button>${escapeHtml(texts.signIn)}</button>
</form>
<p>${escapeHtml(texts.hint)}</p>`,
  );
}

export function signOutPage({ language, base }: Pick<SignInPage, 'language' | 'base'>): string {
  const texts = TEXTS[language];
  return document(
    language,
    texts.signOut,
    `<form method="post" action="${base}sign-out"><p>${escapeHtml(texts.signOutHint)}</p>
<button autofocus>${escapeHtml(texts.signOut)}</button></form>
<p><a href="${base || './'}">${escapeHtml(texts.back)}</a></p>`,
  );
}

function document(language: Language, heading: string, body: string): string {
  const { title } = TEXTS[language];
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${heading} · ${title}`)}</title>
<style>${STYLE}</style>
</head>
<body><main><h1>${escapeHtml(title)}</h1>
${body}
</main></body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
