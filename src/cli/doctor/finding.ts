/** What one check of the doctor found. */
export interface Finding {
  /** What was looked at. */
  name: string
  /** A `problem` keeps states from working; a `warning` makes them slow or unsafe. */
  status: 'ok' | 'warning' | 'problem'
  /** What is there. */
  found: string
  /** How to mend it; absent when there is nothing to mend. */
  mend?: string
}
