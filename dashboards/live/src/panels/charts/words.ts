import { computed } from '@preact/signals';
import { charts as en } from '../../i18n/en/charts.js';
import { charts as ru } from '../../i18n/ru/charts.js';
import { language } from '../../state.js';

const WORDS = { en, ru };
export const words = computed(() => WORDS[language.value]);
