/** Whole numbers that settings take; apart from their schema, whose library is large for a page. */
export const SETTING_RANGES = {
  /** 0 takes any free port. */
  port: { min: 0, max: 65_535 },
  /** Days that finished intents are kept. SPEC 15 says seven. */
  fulfilledDays: { min: 1, max: 365 },
  deadDays: { min: 7, max: 365 },
  /** What the database may hold, in units of 1,048,576 bytes; 0 for no bound. */
  maxDatabaseMegabytes: { min: 0, max: 1_000_000 },
  /** Hours that an open intent may wait from its first run on. SPEC 4.2 says 24. */
  intentLifetimeHours: { min: 1, max: 8_760 }
} as const
