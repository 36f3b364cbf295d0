/** Ids that a reader or a format may take for something else. */
export const ODD_IDS = [
  'it\'s "odd"',
  'a\nb\r\n',
  '\u2028\u2029',
  '猫🐈',
  '../x,y;',
  '__proto__',
  'nul\u0000',
  '-1+1',
  ' ',
  '\\ud800',
];
