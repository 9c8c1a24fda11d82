// What the element itself says to shoppers: only what has to be said where nothing of the checkout has arrived.
// Everything else comes from the server.
const WORDS = {
  en: {
    link: 'Go to checkout',
    failed: 'The checkout cannot be shown here. Please continue on our checkout page.',
  },
  de: {
    link: 'Zur Kasse',
    failed: 'Die Kasse kann hier nicht angezeigt werden. Bitte weiter auf der Seite unserer Kasse.',
  },
};

/** The words for a language such as `de-AT`. */
export const words = (language) => WORDS[language.slice(0, 2).toLowerCase()] ?? WORDS.en;
