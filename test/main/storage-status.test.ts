import { expect, test } from 'vitest'
import { storageStatus, type StorageSigns } from '../../src/main/storage/storage-status.ts'

const MB = 1024 ** 2
const GB = 1024 * MB
const FINE: StorageSigns = { trouble: null, isOverfull: false, maxMegabytes: 1_024, room: { free: 50 * GB, total: 100 * GB }, refusal: null }

test.each<[string, Partial<StorageSigns>, string, string | null]>([
  ['all is well', {}, 'fine', null],
  ['the room cannot be told', { room: null }, 'fine', null],
  ['199 MB of 5 GB are left', { room: { free: 199 * MB, total: 5 * GB } }, 'low', 'Only 199 MB left'],
  ['201 MB of 5 GB are left', { room: { free: 201 * MB, total: 5 * GB } }, 'fine', null],
  ['less than 2 % of a large disk are left', { room: { free: 1.9 * GB, total: 100 * GB } }, 'low', 'Only 1,945 MB left'],
  ['half of a small disk is left', { room: { free: 50 * MB, total: 100 * MB } }, 'fine', null],
  ['nothing is left, but writing still works', { room: { free: 0, total: 5 * GB } }, 'low', 'Less than 1 MB left'],
  ['the database is too large', { isOverfull: true }, 'overfull', 'larger than its bound of 1,024 MB'],
  ['a low disk matters more than that', { isOverfull: true, room: { free: MB, total: GB } }, 'low', 'Only 1 MB left'],
  ['it is full', { trouble: 'SQLITE_FULL' }, 'full', 'The disk of the bus is full'],
  ['it fails because it is full', { trouble: 'SQLITE_IOERR_SHMSIZE', room: { free: 0, total: GB } }, 'full', 'The disk of the bus is full'],
  ['it fails', { trouble: 'SQLITE_IOERR_WRITE' }, 'failing', 'reports errors (SQLITE_IOERR_WRITE)'],
  ['it fails because it is read-only', { trouble: 'SQLITE_IOERR_WRITE', refusal: 'EROFS' }, 'readonly', 'cannot be written to (EROFS): nothing can be published'],
  ['only the folder is read-only', { refusal: 'EACCES' }, 'readonly', 'cannot be written to (EACCES): settings and secrets cannot be changed'],
  ['the database is read-only', { trouble: 'SQLITE_READONLY' }, 'readonly', 'cannot be written to (SQLITE_READONLY)']
])('%s', (_name, signs, state, text) => {
  const status = storageStatus({ ...FINE, ...signs })
  expect(status.state).toBe(state)
  if (text === null) expect(status.problem).toBeNull()
  else expect(status.problem).toContain(text)
})
