import { expect, test } from 'vitest'
import { storageStatus, type DiskRoom, type StorageSigns } from '../../src/main/storage/storage-status.ts'

const MB = 1024 ** 2
const GB = 1024 * MB
const FOLDER = '/data'
const FINE: StorageSigns = { trouble: null, isOverfull: false, maxMegabytes: 1_024, folder: FOLDER, room: room(50 * GB, 100 * GB), refusal: null }

function room(free: number, total: number): DiskRoom {
  return { free, total, folder: '/other' }
}

test.each<[string, Partial<StorageSigns>, string, string | null]>([
  ['all is well', {}, 'fine', null],
  ['the room cannot be told', { room: null }, 'fine', null],
  ['199 MB of 5 GB are left', { room: room(199 * MB, 5 * GB) }, 'low', 'Only 199 MB left on the disk of the bus, the one with /other'],
  ['201 MB of 5 GB are left', { room: room(201 * MB, 5 * GB) }, 'fine', null],
  ['less than 2 % of a large disk are left', { room: room(1.9 * GB, 100 * GB) }, 'low', 'Only 1.9 GB left'],
  ['half of a small disk is left', { room: room(50 * MB, 100 * MB) }, 'fine', null],
  ['nothing is left, but nothing was refused yet', { room: room(0, 5 * GB) }, 'full', 'Less than 1 MB is left on the disk of the bus, the one with /other'],
  ['the database is too large', { isOverfull: true }, 'overfull', 'larger than its bound of 1.0 GB'],
  ['a low disk matters more than that', { isOverfull: true, room: room(MB, GB) }, 'low', 'Only 1.0 MB left'],
  ['it is full', { trouble: 'SQLITE_FULL' }, 'full', 'The disk of the bus is full, the one with /data'],
  ['it fails because it is full', { trouble: 'SQLITE_IOERR_SHMSIZE', room: room(0, GB) }, 'full', 'The disk of the bus is full, the one with /other'],
  ['it fails', { trouble: 'SQLITE_IOERR_WRITE' }, 'failing', 'reports errors (SQLITE_IOERR_WRITE), the one with /data'],
  ['it fails because it is read-only', { trouble: 'SQLITE_IOERR_WRITE', refusal: { folder: '/x', reason: 'EROFS' } }, 'readonly', 'The folder /x of the bus cannot be written to (EROFS): nothing can be published'],
  ['only the folder is read-only', { refusal: { folder: '/x', reason: 'EACCES' } }, 'readonly', 'cannot be written to (EACCES): settings and secrets cannot be changed'],
  ['the database is read-only', { trouble: 'SQLITE_READONLY' }, 'readonly', 'The folder /data of the bus cannot be written to (SQLITE_READONLY)']
])('%s', (_name, signs, state, text) => {
  const status = storageStatus({ ...FINE, ...signs })
  expect(status.state).toBe(state)
  if (text === null) expect(status.problem).toBeNull()
  else expect(status.problem).toContain(text)
})
