import type { DesktopApp } from './driver.ts'
import type { DesktopRecord } from './record.ts'

declare const desktopRecord: DesktopRecord

/** An item of the tray's menu as a user sees it. */
export interface TrayItem {
  readonly label: string
  readonly isEnabled: boolean
  readonly items: readonly TrayItem[]
}

/** The tray of an app under test. */
export class DesktopTray {
  readonly #app: DesktopApp

  constructor(app: DesktopApp) {
    this.#app = app
  }

  /** The visible items of its menu; none when there is no menu. */
  menu(): Promise<readonly TrayItem[]> {
    return this.#app.evaluate(() => {
      const seen = (items: NonNullable<DesktopRecord['menu']>['items']): TrayItem[] =>
        items
          .filter(({ visible, type }) => visible && type !== 'separator')
          .map(({ label, enabled, submenu }) => ({ label, isEnabled: enabled, items: seen(submenu?.items ?? []) }))
      return seen(desktopRecord.menu?.items ?? [])
    })
  }

  async labels(): Promise<readonly string[]> {
    return (await this.menu()).map(({ label }) => label)
  }

  /** Clicks an item, by the labels on the way to it. Throws when it is not there or not enabled. */
  async choose(...path: readonly string[]): Promise<void> {
    await this.#app.evaluate((_electron, labels) => {
      let items = desktopRecord.menu?.items ?? []
      for (const [depth, label] of labels.entries()) {
        const item = items.find((candidate) => candidate.visible && candidate.label === label)
        if (item === undefined || !item.enabled) throw new Error(`The tray's menu has no item "${label}" that could be clicked.`)
        if (depth === labels.length - 1) item.click()
        items = item.submenu?.items ?? []
      }
    }, path)
  }

  async click(): Promise<void> {
    await this.#app.evaluate(() => {
      if (desktopRecord.tray === null) throw new Error('There is no tray.')
      desktopRecord.tray.emit('click', {}, { x: 0, y: 0, width: 0, height: 0 }, { x: 0, y: 0 })
    })
  }

  toolTip(): Promise<string> {
    return this.#app.evaluate(() => desktopRecord.toolTip)
  }
}
