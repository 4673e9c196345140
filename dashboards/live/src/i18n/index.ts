import type { Language } from '../view.js';
import { en, type Messages } from './en.js';
import { ru } from './ru.js';

export const MESSAGES: Readonly<Record<Language, Messages>> = { en, ru };
