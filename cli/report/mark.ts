/** Stands in the head of each report, and says what made it: a report may take the place of another. */
export const REPORT_MARK = '<meta name="generator" content="labelqueue report">';
