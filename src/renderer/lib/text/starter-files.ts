import type { StarterId } from './starters.ts'

/** A worker that runs as it is saved. */
export interface StarterFile {
  readonly id: StarterId
  readonly label: string
  readonly name: string
  /** What starts it. */
  readonly command: string
  /** Completes "It needs …". */
  readonly needs: string
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
    needs: 'Node 22.18 or later, and this bus’s package intent-bus-client',
    load: () => import('../../../../examples/worker.ts?raw')
  }
]
