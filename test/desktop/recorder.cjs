/**
 * Loaded before the app, in Electron and in its stand-in: keeps what the app shows outside of its windows, answers for a
 * user who is not there, and takes from the machine what a test wants it to lack.
 */
const { syncBuiltinESMExports } = require('node:module')
const threads = require('node:worker_threads')
const { clipboard, dialog, globalShortcut, Notification, safeStorage, shell, Tray } = require('electron')

const { keychain, tray, takenShortcuts = [] } = JSON.parse(process.env.DESKTOP_RECORDER ?? '{}')

const record = { tray: null, toolTip: '', menu: null, notifications: [], questions: [], errors: [], opened: [], shortcuts: new Map(), copied: '', threads: [] }
globalThis.desktopRecord = record

function wrap(object, name, around) {
  const original = object[name]
  object[name] = function (...args) {
    return around(() => original.apply(this, args), args, this)
  }
}

threads.Worker = class extends threads.Worker {
  constructor(...args) {
    super(...args)
    record.threads.push(this)
  }
}
syncBuiltinESMExports()

if (tray === 'throws') {
  wrap(Tray.prototype, 'on', () => {
    throw new Error('There is no tray.')
  })
}
wrap(Tray.prototype, 'setToolTip', (original, [text], self) => {
  record.tray = self
  record.toolTip = text
  return original()
})
wrap(Tray.prototype, 'setContextMenu', (original, [menu], self) => {
  record.tray = self
  record.menu = menu
  return original()
})

wrap(Notification.prototype, 'show', (original, _args, self) => {
  record.notifications.push(self)
  return original()
})

dialog.showMessageBox = (...args) =>
  new Promise((resolve) => record.questions.push({ options: args.at(-1), resolve }))
dialog.showErrorBox = (title, content) => record.errors.push({ title, content })

shell.openExternal = async (url) => void record.opened.push(url)
shell.openPath = async (path) => {
  record.opened.push(path)
  return ''
}

// What a test copies is none of the user's business, nor of another test's that runs meanwhile.
clipboard.writeText = async (text) => void (record.copied = text)
clipboard.readText = async () => record.copied

wrap(globalShortcut, 'register', (original, [accelerator, press]) => {
  if (takenShortcuts.includes(accelerator)) return false
  const isRegistered = original()
  if (isRegistered) record.shortcuts.set(accelerator, press)
  return isRegistered
})
wrap(globalShortcut, 'unregister', (original, [accelerator]) => {
  record.shortcuts.delete(accelerator)
  return original()
})

if (keychain === 'basic_text') safeStorage.getSelectedStorageBackend = () => 'basic_text'
if (keychain === 'none') safeStorage.isAsyncEncryptionAvailable = async () => false
if (keychain === 'none') safeStorage.isEncryptionAvailable = () => false
if (keychain === 'none' || keychain === 'basic_text') {
  const refuse = () => {
    throw new Error('There is no keychain.')
  }
  for (const name of ['encryptString', 'decryptString']) safeStorage[name] = refuse
  for (const name of ['encryptStringAsync', 'decryptStringAsync']) safeStorage[name] = async () => refuse()
}
if (keychain === 'locked') {
  safeStorage.decryptStringAsync = async () => {
    throw new Error('The keychain does not open this.')
  }
}
