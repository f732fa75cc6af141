/** One of what can be chosen. */
export interface Choice<T extends string = string> {
  readonly value: T
  readonly label: string
  /** What it means. */
  readonly hint?: string
  /** The label is a name of the system's. */
  readonly isMono?: boolean
}
