import type { SettingName } from '../../../shared/control/settings.ts'

/** What users know each setting by: its field or switch, and the trail of what was changed, call it so. */
export const SETTING_LABELS: Readonly<Record<SettingName, string>> = {
  port: 'Port',
  requireSignatures: 'Require signatures',
  maintenance: 'Maintenance',
  fulfilledDays: 'Fulfilled intents are kept',
  deadDays: 'Dead letters are kept',
  maxDatabaseMegabytes: 'The database holds at most',
  intentLifetimeHours: 'An open intent waits at most',
  share: 'Share on this network',
  sharePort: 'Port for other machines',
  shareInterface: 'Shared on',
  sharePlain: 'Also without TLS (plain HTTP)',
  shareDiscovery: 'Announce it on the network',
  busName: 'Name of this bus',
  startAtLogin: 'Start at login',
  closeToTray: 'Closing the window keeps the bus running',
  notifyDead: 'Notify about dead letters',
  keepAwake: 'Stay awake while intents are claimed',
  panelShortcut: 'Keys that open the panel'
}
