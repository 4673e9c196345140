/** Who is signed in: a way out, and back to the page to sign in when the session has ended. */
import { computed, effect, signal } from '@preact/signals';
import { ApiFailure, ask } from '../api.js';
import { connection, language } from '../state.js';

interface SessionAnswer {
  readonly role: 'admin' | 'viewer' | 'metrics';
  readonly signed_in_by: 'token' | 'session' | null;
}

const WORDS = {
  en: { signOut: 'Sign out', roles: { admin: 'administrator', viewer: 'viewer', metrics: 'metrics' } },
  ru: { signOut: 'Выйти', roles: { admin: 'администратор', viewer: 'наблюдатель', metrics: 'метрики' } },
} as const;

const LOOK_MS = 2_000;

const session = signal<SessionAnswer | null>(null);

/** A WebSocket does not say why it was refused; this does. The server shows the page to sign in instead of this one. */
async function look(): Promise<void> {
  try {
    session.value = await ask<SessionAnswer>('api/session/');
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 401) location.reload();
    // Anything else is the lost connection itself, which the status line tells.
  }
}

/** Looks once who is signed in, and while the connection is lost again and again: a monitor that comes back knows nobody. */
export function watchSession(): void {
  void look();
  const lost = computed(() => connection.value.state === 'lost');
  effect(() => {
    if (!lost.value || session.value?.signed_in_by !== 'session') return;
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  });
}

export function SignedIn() {
  const who = session.value;
  if (who?.signed_in_by !== 'session') return null;
  const words = WORDS[language.value];
  return (
    <footer class="signed-in">
      {words.roles[who.role]} · <a href="sign-out">{words.signOut}</a>
    </footer>
  );
}
