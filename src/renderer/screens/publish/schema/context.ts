/** What the fields of a form share. */
export interface FormContext {
  /** What is wrong at a JSON pointer; null for nothing. */
  problemAt(pointer: string): string | null
  /** Shows the payload as JSON, where everything can be written. */
  editAsJson(): void
}
