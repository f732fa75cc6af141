import { parentPort, workerData } from 'node:worker_threads'
import { BusDamagedError } from './backups/damaged.ts'
import { RecoveryError } from './backups/restore.ts'
import { UnusableDatabaseError } from './bus/store/database.ts'
import { builtBeside } from './built.ts'
import { ConfigError, readConfig, type Config } from './config.ts'
import { DESKTOP } from './control/operator.ts'
import { noticesOfFolder } from './data-directory.ts'
import type { BusThreadData, FromBus, ToBus } from './desktop/bus-messages.ts'
import { HostRelay } from './desktop/host-relay.ts'
import { KeychainVault } from './desktop/keychain-vault.ts'
import { FileVault } from './file-vault.ts'
import type { Host, Vault } from './host.ts'
import { createLog, flushLog, type Log } from './log.ts'
import { serve, type Service } from './serve.ts'

/** The thread that runs the whole bus for the desktop app. It speaks with the main thread by `bus-messages.ts`. */

const LOG_PATIENCE_MS = 200
/** Requests under way get so many milliseconds when the bus starts again by itself. */
const GRACE_MS = 3_500

const port = parentPort!
const { logFile, keychain, unavailableSettings, notices, recovery } = workerData as BusThreadData
const relay = new HostRelay(send)
const ending = new AbortController()
const starting = start()
let stopListening = () => {}
let isReplaced = false

port.on('message', (message: ToBus) => void receive(message))

function send(message: FromBus): void {
  port.postMessage(message)
}

async function start(): Promise<Service | undefined> {
  let log: Log | undefined
  try {
    const config = readConfig(process.env)
    log = createLog(config.logLevel, logFile)
    const service = await serve({
      config,
      log,
      host: createHost(config, log),
      readerEntry: new URL('./reader.js', import.meta.url),
      built: builtBeside(import.meta.url),
      tolerateListenTrouble: true,
      recovery: recovery ?? undefined,
      ending: ending.signal,
      restart: () => void restart()
    })
    send({ kind: 'ready' })
    return service
  } catch (error) {
    const { message } = error as Error
    const isExpected = [ConfigError, UnusableDatabaseError, RecoveryError].some((kind) => error instanceof kind)
    if (!isExpected) log?.fatal({ err: error }, 'the bus cannot start')
    await flushLog(LOG_PATIENCE_MS)
    const damage = error instanceof BusDamagedError ? error.view : undefined
    send({ kind: 'failed', problem: isExpected ? message : `The bus cannot start: ${message}.`, ...(damage && { damage }) })
    return undefined
  }
}

/** A thread of its own starts clean. */
async function restart(): Promise<void> {
  if (isReplaced) return
  isReplaced = true
  const service = await starting
  send({ kind: 'restarting' })
  await service?.close(GRACE_MS)
  await flushLog(LOG_PATIENCE_MS)
  port.close()
}

function createHost({ dataDir }: Config, log: Log): Host {
  return {
    shell: 'desktop',
    vault: createVault(dataDir, log),
    logFile,
    unavailableSettings,
    notices: [...notices, ...noticesOfFolder(dataDir)],
    show: (what) => relay.show(what),
    applySettings: (settings) => relay.applySettings(settings)
  }
}

function createVault(directory: string, log: Log): Vault {
  if (keychain === null) return new FileVault(directory)
  return new KeychainVault({
    directory,
    keychain,
    sealer: relay,
    onTrouble: (name, err) => log.warn({ secret: name, err }, 'the keychain did not take or give a secret')
  })
}

async function receive(message: ToBus): Promise<void> {
  if (message.kind === 'close') ending.abort()
  // Answers of the main thread come while the bus is starting, which waits for them.
  if (message.kind === 'host-answer' || message.kind === 'host-refusal') {
    relay.settle(message)
    return
  }
  const service = await starting
  if (service === undefined) return
  switch (message.kind) {
    case 'call':
      send({ kind: 'answer', id: message.id, envelope: await service.control.call(DESKTOP, message.method, message.input) })
      break
    case 'listen':
      stopListening()
      stopListening = service.control.listen(DESKTOP, (frame) => send({ kind: 'frame', frame }))
      break
    case 'unlisten':
      stopListening()
      stopListening = () => {}
      break
    case 'power':
      service[message.what]()
      break
    case 'close':
      await service.close(message.graceMs)
      await flushLog(LOG_PATIENCE_MS)
      send({ kind: 'closed' })
      port.close()
  }
}
