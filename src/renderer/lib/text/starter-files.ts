import { needsRootFile, type StarterId } from './starters.ts'

/** A worker that runs as it is saved. */
export interface StarterFile {
  readonly id: StarterId
  readonly label: string
  readonly name: string
  /** What starts it. */
  readonly command: string
  /** Completes "It needs …". */
  readonly needs: string
  /** What its only action is for; others take any goal. */
  readonly ownGoal?: string
  /** Its text as it stands in `examples/`. */
  load(): Promise<{ readonly default: string }>
}

export const STARTER_FILES: readonly StarterFile[] = [
  {
    id: 'bash',
    label: 'bash',
    name: 'worker.sh',
    command: 'bash worker.sh',
    needs: 'curl and jq',
    load: () => import('../../../../examples/worker.sh?raw')
  },
  {
    id: 'powershell',
    label: 'PowerShell',
    name: 'worker.ps1',
    command: 'powershell -ExecutionPolicy Bypass -File worker.ps1',
    needs: 'Windows PowerShell 5.1, or PowerShell 7 (then the command is pwsh worker.ps1)',
    load: () => import('../../../../examples/worker.ps1?raw')
  },
  {
    id: 'python',
    label: 'Python',
    name: 'worker.py',
    command: 'python3 worker.py',
    needs: 'Python 3.8 or later and nothing else',
    load: () => import('../../../../examples/worker.py?raw')
  },
  {
    id: 'python-sdk',
    label: 'Python SDK',
    name: 'worker-sdk.py',
    command: 'python3 worker-sdk.py',
    needs: 'pip install intent-bus, and for version 1.2.0 of it a bus with BUS_ALLOW_TOKENLESS_WORKERS=true',
    load: () => import('../../../../examples/worker-sdk.py?raw')
  },
  {
    id: 'typescript',
    label: 'TypeScript',
    name: 'worker.ts',
    command: 'node worker.ts',
    needs: 'Node 22.18 or later, and the client that this bus hands out: npm install BUS_URL/intent-bus-client.tgz',
    load: () => import('../../../../examples/worker.ts?raw')
  },
  {
    id: 'notification',
    label: 'Notifications',
    name: 'send_notification.py',
    command: 'python3 send_notification.py',
    needs: 'Python 3.8 or later; it shows {"message": "Done."} by what the machine has for notifications',
    ownGoal: 'send_notification',
    load: () => import('../../../../examples/send_notification.py?raw')
  },
  {
    id: 'event-log',
    label: 'Event log',
    name: 'log_event.py',
    command: 'python3 log_event.py',
    needs: 'Python 3.8 or later; it adds each payload to ~/intent-bus-events.jsonl',
    ownGoal: 'log_event',
    load: () => import('../../../../examples/log_event.py?raw')
  }
]

/** What it needs of a bus at this address; `caFile`: the root certificate of one that is shared over HTTPS. */
export function needsOf({ id, needs }: StarterFile, url: string, caFile?: string): string {
  const its = needs.replace('BUS_URL', () => url)
  if (caFile === undefined) return its
  const trusting = its.replace('npm install http', `npm install --cafile ${caFile} http`)
  return needsRootFile(id) || trusting !== its ? `${trusting}; and ${caFile} beside it` : its
}
