import type { MenuItemConstructorOptions } from 'electron'
import type { BusPicture } from './bus-watch.ts'

/** What the items of the tray's menu do. */
export interface TrayActions {
  copyUrl(url: string): void
  start(): void
  pause(paused: boolean): void
  showFailure(id: string): void
  runTemplate(id: string): void
  quickPublish(): void
  showPanel(): void
  open(): void
  quit(): void
}

export type TrayLook = 'normal' | 'paused' | 'trouble'

const MAX_LABEL = 60

/** How the icon shows the bus. */
export function trayLook({ status }: BusPicture): TrayLook {
  if (status === null || status.state === 'starting') return 'normal'
  if (status.state === 'stopped' || status.listener?.state !== 'listening') return 'trouble'
  return status.isPaused || status.isMaintenance ? 'paused' : 'normal'
}

/** The bus in one line: its state and where it is. */
export function statusLine({ status }: BusPicture): string {
  if (status === null || status.state === 'starting') return 'Starting…'
  if (status.state === 'stopped') return 'Stopped'
  if (status.listener?.state !== 'listening') return `Port ${status.listener?.port} cannot be used`
  const state = status.isMaintenance ? 'In maintenance' : status.isPaused ? 'Paused' : 'Running'
  return `${state} at ${status.listener.url}`
}

/** The tray's menu, which does all that the panel does for desktops whose trays cannot be clicked. */
export function trayMenu(picture: BusPicture, actions: TrayActions): MenuItemConstructorOptions[] {
  const { status, counts, failures, templates } = picture
  const isRunning = status?.state === 'running'
  const url = status?.listener?.state === 'listening' ? status.listener.url : undefined
  const isPaused = status?.isPaused === true
  return [
    { label: statusLine(picture), enabled: false },
    { label: `${counts.open} open, ${counts.claimed} claimed`, enabled: false, visible: isRunning },
    { type: 'separator' },
    { label: 'Start again', visible: status?.state === 'stopped', click: () => actions.start() },
    { label: 'Copy URL', enabled: url !== undefined, click: () => actions.copyUrl(url ?? '') },
    { label: isPaused ? 'Resume' : 'Pause', enabled: isRunning, click: () => actions.pause(!isPaused) },
    {
      label: 'Recent failures',
      enabled: isRunning,
      submenu: orNone(
        failures.map(({ id, goal, error }) => ({
          label: label(error === null ? goal : `${goal}: ${error}`),
          click: () => actions.showFailure(id)
        })),
        'No failures'
      )
    },
    {
      label: 'Run template',
      enabled: isRunning,
      submenu: orNone(
        templates.map(({ id, name }) => ({ label: label(name), click: () => actions.runTemplate(id) })),
        'No templates yet'
      )
    },
    { label: 'Quick publish…', enabled: isRunning, click: () => actions.quickPublish() },
    { label: 'Show panel', click: () => actions.showPanel() },
    { type: 'separator' },
    { label: 'Open', click: () => actions.open() },
    { label: 'Quit', click: () => actions.quit() }
  ]
}

function orNone(items: MenuItemConstructorOptions[], none: string): MenuItemConstructorOptions[] {
  return items.length > 0 ? items : [{ label: none, enabled: false }]
}

/** One line of bounded length; a single `&` would be taken for a shortcut's mark. */
function label(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  const short = line.length > MAX_LABEL ? `${line.slice(0, MAX_LABEL - 1).toWellFormed()}…` : line
  return short.replaceAll('&', '&&')
}
