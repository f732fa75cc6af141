import { initial } from './001-initial.ts'

/** In order, and never changed once released: migration k leads from version k to version k + 1 (`user_version`). */
export const migrations: readonly string[] = [initial]
