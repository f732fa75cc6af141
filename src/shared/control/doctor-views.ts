/** What the doctor looks at. */
export type DoctorCheckName = 'database' | 'space' | 'backups' | 'permissions' | 'secrets' | 'clock' | 'port' | 'sharing'

/** What the doctor found. */
export interface DoctorCheck {
  readonly name: DoctorCheckName
  readonly outcome: 'fine' | 'warning' | 'trouble'
  /** A sentence; and what to do, null where nothing is. */
  readonly text: string
  readonly next: string | null
}
