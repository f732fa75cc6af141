import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { pino } from 'pino'
import type { EventFrame } from '../../src/shared/control/event-frame.ts'
import type { BusStatus } from '../../src/shared/control/status-views.ts'
import { systemClock } from '../../src/main/bus/clock.ts'
import { BusClient } from '../../src/main/desktop/bus-client.ts'
import type { BusThreadData } from '../../src/main/desktop/bus-messages.ts'
import type { Log } from '../../src/main/log.ts'
import { cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import type { Rig } from './rig.ts'

/** The control contract as the desktop's main thread has it: the built bus in a thread of its own, asked by messages. */
export async function threadRig(): Promise<Rig> {
  const folder = temporaryFolder()
  const data: BusThreadData = { logFile: join(folder.path, 'bus.log'), keychain: null, unavailableSettings: {}, notices: [], recovery: null }
  const refuse = () => Promise.reject(new Error('There is no keychain here.'))
  const bus = new BusClient({
    spawn: async () =>
      new Worker(join(ROOT, 'out', 'main', 'bus-thread.js'), {
        workerData: data,
        env: { ...cleanEnvironment(), BUS_DATA_DIR: folder.path }
      }),
    services: { seal: refuse, unseal: refuse, show: async () => {}, applySettings: async () => {} },
    dataDir: folder.path,
    logFile: data.logFile,
    log: pino({ level: 'silent' }) as Log,
    clock: systemClock
  })
  // Not by the environment, which would fix the port for the test that changes it.
  writeFileSync(join(folder.path, 'settings.json'), '{"port":0}')
  bus.start()
  let url = ''
  const send = async (method: string, input: unknown) => {
    const envelope = await bus.call(method, input)
    if (method === 'settings.change' || url === '') url = await urlOf(bus)
    return envelope
  }
  await send('keys.list', {})
  return {
    get url() {
      return url
    },
    mainKey: readFileSync(join(folder.path, 'main.key'), 'utf8').trim(),
    send,
    async listen() {
      const frames: EventFrame[] = []
      let isLive = false
      const stop = bus.listen(
        (frame) => frames.push(frame),
        (live) => (isLive = live)
      )
      while (!isLive || frames.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      return {
        async frame(fits) {
          for (;;) {
            const found = frames.find(fits)
            if (found !== undefined) return found
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        },
        [Symbol.dispose]: stop
      }
    },
    async [Symbol.asyncDispose]() {
      await bus.close(500)
      folder[Symbol.dispose]()
    }
  }
}

async function urlOf(bus: BusClient): Promise<string> {
  const envelope = await bus.call('status.get', {})
  const { listener } = (envelope.ok ? envelope.value : {}) as Partial<BusStatus>
  return listener?.state === 'listening' ? listener.url : ''
}
