import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { autostartEntry, autostartPath, setAutostart } from '../../../src/main/desktop/autostart-entry.ts'
import { temporaryFolder } from '../../support/folders.ts'

function execOf(command: readonly string[]): string {
  return /^Exec=(.*)$/m.exec(autostartEntry(command))![1]!
}

test.each([
  [['/opt/Intent/app', '--hidden'], '/opt/Intent/app --hidden'],
  [['/opt/Intent Bus/app', '--hidden'], '"/opt/Intent Bus/app" --hidden'],
  [['/opt/100%/app'], '"/opt/100%%/app"'],
  [['/opt/a"b$c`d\\e'], '"/opt/a\\\\"b\\\\$c\\\\`d\\\\\\\\e"'],
  [['/opt/a\nExec=evil\rb'], '"/opt/a\\nExec=evil\\rb"']
])('%j is written as %s', (command, exec) => {
  expect(execOf(command)).toBe(exec)
})

test('the file lies where the desktop looks for it', () => {
  expect(autostartPath({ XDG_CONFIG_HOME: '/config' })).toBe(join('/config', 'autostart', 'intent-bus-desktop.desktop'))
})

test('the file is written, left alone when it is right, and removed', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'autostart', 'app.desktop')
  setAutostart(path, undefined)
  setAutostart(path, ['/opt/app'])
  const { ino, mtimeMs } = statSync(path)
  expect(readFileSync(path, 'utf8')).toContain('Exec=/opt/app\n')
  setAutostart(path, ['/opt/app'])
  expect(statSync(path)).toMatchObject({ ino, mtimeMs })
  setAutostart(path, ['/opt/other'])
  expect(readFileSync(path, 'utf8')).toContain('Exec=/opt/other\n')
  setAutostart(path, undefined)
  expect(existsSync(path)).toBe(false)
})
