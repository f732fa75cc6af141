import type { MenuItemConstructorOptions } from 'electron'
import { expect, test } from 'vitest'
import { appMenu } from '../../../src/main/desktop/app-menu.ts'

function rolesOf(items: readonly MenuItemConstructorOptions[]): string[] {
  return items.flatMap(({ role, submenu }) => [...(role ? [role] : []), ...(Array.isArray(submenu) ? rolesOf(submenu) : [])])
}

test.each(['darwin', 'linux', 'win32'] as const)('on %s text can be copied, windows closed and the app quit by keys', (platform) => {
  const roles = rolesOf(appMenu({ platform, isDevelopment: false, open: () => {} }))
  expect(roles).toEqual(expect.arrayContaining(['editMenu', 'close', 'quit', 'zoomIn', 'zoomOut', 'resetZoom']))
  expect(roles).not.toContain('reload')
  expect(roles).not.toContain('toggleDevTools')
})

test('developers may reload', () => {
  expect(rolesOf(appMenu({ platform: 'linux', isDevelopment: true, open: () => {} }))).toContain('reload')
})

test('macOS finds its own menu first', () => {
  expect(appMenu({ platform: 'darwin', isDevelopment: false, open: () => {} })[0]).toMatchObject({ role: 'appMenu' })
})
