import type { StorageState } from '../../../shared/control/storage-views.ts'
import type { BusStatus } from '../../../shared/control/status-views.ts'

/** How the bus is, in a word, and what to do about it. */
export interface StateWord {
  readonly word: 'Running' | 'Paused' | 'Maintenance' | 'Port taken' | 'Cannot write' | 'Damaged' | 'Starting' | 'Stopped' | 'Offline'
  readonly tone: 'good' | 'held' | 'bad'
  /** null where there is nothing to explain. */
  readonly reason: string | null
}

/** `status`: null where there is none to be had; `problem` then says why. */
export function stateWord(status: BusStatus | null, isOffline: boolean, problem: string | null): StateWord {
  if (status === null || (isOffline && problem !== null)) {
    return { word: 'Offline', tone: 'bad', reason: problem ?? 'The bus does not answer.' }
  }
  if (status.state === 'stopped') {
    return { word: 'Stopped', tone: 'bad', reason: status.problem ?? 'The bus is stopped: nothing is published or claimed.' }
  }
  if (status.state === 'starting') return { word: 'Starting', tone: 'held', reason: null }
  if (status.listener?.state === 'failed') return { word: 'Port taken', tone: 'bad', reason: status.listener.problem }
  if (status.damage !== null) return { word: 'Damaged', tone: 'bad', reason: status.damage.problem }
  if (isUnwritable(status.storage.state)) return { word: 'Cannot write', tone: 'bad', reason: status.storage.problem }
  if (status.isMaintenance) {
    return { word: 'Maintenance', tone: 'held', reason: 'Publishers and workers are turned away until maintenance ends; it is a setting.' }
  }
  if (status.isPaused) {
    return { word: 'Paused', tone: 'held', reason: 'No intent is handed out. Publishing, and what is claimed already, go on.' }
  }
  return { word: 'Running', tone: 'good', reason: null }
}

/** Whether the disk takes nothing. */
function isUnwritable(state: StorageState): boolean {
  return state === 'full' || state === 'readonly' || state === 'failing'
}
