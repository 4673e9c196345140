/** The two languages of the dashboards; one code makes both, so that neither falls behind. */

export const LOCALES = ['en', 'ru'] as const;
export type Locale = (typeof LOCALES)[number];

/** The same words in both languages. */
export type Words = Readonly<Record<Locale, string>>;

export const words = (en: string, ru: string): Words => ({ en, ru });
