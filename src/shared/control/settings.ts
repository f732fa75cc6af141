import { z } from 'zod'
import { SETTING_RANGES } from './setting-ranges.ts'

const wholeNumber = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max)

/** What users set, kept in a file of the data directory. The environment overrides it. */
export const settingsSchema = z.strictObject({
  port: wholeNumber(SETTING_RANGES.port),
  requireSignatures: z.boolean(),
  maintenance: z.boolean(),
  fulfilledDays: wholeNumber(SETTING_RANGES.fulfilledDays),
  deadDays: wholeNumber(SETTING_RANGES.deadDays),
  maxDatabaseMegabytes: wholeNumber(SETTING_RANGES.maxDatabaseMegabytes),
  intentLifetimeHours: wholeNumber(SETTING_RANGES.intentLifetimeHours),
  /** Whether other machines may reach the bus, over HTTPS. */
  share: z.boolean(),
  sharePort: wholeNumber(SETTING_RANGES.port),
  /** The name of a network interface; empty for the one that leads out. */
  shareInterface: z.string().max(64),
  /** Whether they may do so without TLS, too; never as operators. */
  sharePlain: z.boolean(),
  /** Whether the bus is announced on the network by mDNS while it is shared. */
  shareDiscovery: z.boolean(),
  /** What others see it called; empty for the name of its machine. */
  busName: z.string().trim().max(63),
  startAtLogin: z.boolean(),
  closeToTray: z.boolean(),
  notifyDead: z.boolean(),
  /** Whether the machine is kept awake while intents are claimed. */
  keepAwake: z.boolean(),
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
  maxDatabaseMegabytes: 1_024,
  intentLifetimeHours: 24,
  share: false,
  sharePort: 7611,
  shareInterface: '',
  sharePlain: false,
  shareDiscovery: true,
  busName: '',
  startAtLogin: false,
  closeToTray: true,
  notifyDead: true,
  keepAwake: false,
  panelShortcut: 'CommandOrControl+Alt+B'
}
