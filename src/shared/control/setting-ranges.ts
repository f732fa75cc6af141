/** Whole numbers that settings take; apart from their schema, whose library is large for a page. */
export const SETTING_RANGES = {
  /** 0 takes any free port. */
  port: { min: 0, max: 65_535 },
  /** Days that finished intents are kept. SPEC 15 says seven. */
  fulfilledDays: { min: 1, max: 365 },
  deadDays: { min: 7, max: 365 }
} as const
