/** E.g. `77 s`, `21.3 min` or `3.3 h`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  if (seconds < 7_200) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

/** E.g. `$1,350.50`. */
export function dollars(amount: number, digits = 2): string {
  return `$${amount.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** To a tenth of a cent, e.g. `$0.104`: for what a million images cost. */
export function exactDollars(amount = 0): string {
  return dollars(amount, 3);
}

/** A whole number with separators. */
export function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}
