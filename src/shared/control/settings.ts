import { z } from 'zod'

/** What users set, kept in a file of the data directory. The environment overrides it. */
export const settingsSchema = z.strictObject({
  /** 0 takes any free port. */
  port: z.int().min(0).max(65_535),
  requireSignatures: z.boolean(),
  maintenance: z.boolean(),
  /** Days that finished intents are kept. SPEC 15 says seven. */
  fulfilledDays: z.int().min(1).max(365),
  deadDays: z.int().min(7).max(365),
  startAtLogin: z.boolean(),
  closeToTray: z.boolean(),
  notifyDead: z.boolean(),
  /** Opens the panel from anywhere; empty for none. In Electron's notation of accelerators. */
  panelShortcut: z.string().max(64)
})

export type Settings = Readonly<z.infer<typeof settingsSchema>>
export type SettingName = keyof Settings

export const DEFAULT_SETTINGS: Settings = {
  port: 7610,
  requireSignatures: false,
  maintenance: false,
  fulfilledDays: 7,
  deadDays: 7,
  startAtLogin: false,
  closeToTray: true,
  notifyDead: true,
  panelShortcut: 'CommandOrControl+Alt+B'
}
