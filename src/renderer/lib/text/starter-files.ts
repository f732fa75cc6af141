import eventLog from '../../../../examples/log_event.py?raw'
import notification from '../../../../examples/send_notification.py?raw'
import pythonSdk from '../../../../examples/worker-sdk.py?raw'
import powerShell from '../../../../examples/worker.ps1?raw'
import python from '../../../../examples/worker.py?raw'
import bash from '../../../../examples/worker.sh?raw'
import typeScript from '../../../../examples/worker.ts?raw'
import type { StarterId } from './starters.ts'

/** A worker that runs as it is saved, once a key is in it or where it looks for one. */
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
  /** As it stands in `examples/`. In one piece with who shows it: of what failed to load, a browser asks no second time. */
  readonly text: string
}

export const STARTER_FILES: readonly StarterFile[] = [
  {
    id: 'bash',
    label: 'bash',
    name: 'worker.sh',
    command: 'bash worker.sh',
    needs: 'curl and jq',
    text: bash
  },
  {
    id: 'powershell',
    label: 'PowerShell',
    name: 'worker.ps1',
    command: 'powershell -ExecutionPolicy Bypass -File worker.ps1',
    needs: 'Windows PowerShell 5.1, or PowerShell 7 (then the command is pwsh worker.ps1)',
    text: powerShell
  },
  {
    id: 'python',
    label: 'Python',
    name: 'worker.py',
    command: 'python3 worker.py',
    needs: 'Python 3.8 or later and nothing else',
    text: python
  },
  {
    id: 'python-sdk',
    label: 'Python SDK',
    name: 'worker-sdk.py',
    command: 'python3 worker-sdk.py',
    needs: 'pip install intent-bus, and for version 1.2.0 of it a bus with BUS_ALLOW_TOKENLESS_WORKERS=true',
    text: pythonSdk
  },
  {
    id: 'typescript',
    label: 'TypeScript',
    name: 'worker.ts',
    command: 'node worker.ts',
    needs: 'Node 22.18 or later, and the client that this bus hands out',
    text: typeScript
  },
  {
    id: 'notification',
    label: 'Notifications',
    name: 'send_notification.py',
    command: 'python3 send_notification.py',
    needs: 'Python 3.8 or later; it shows {"message": "Done."} by what the machine has for notifications',
    ownGoal: 'send_notification',
    text: notification
  },
  {
    id: 'event-log',
    label: 'Event log',
    name: 'log_event.py',
    command: 'python3 log_event.py',
    needs: 'Python 3.8 or later; it adds each payload to ~/intent-bus-events.jsonl',
    ownGoal: 'log_event',
    text: eventLog
  }
]
