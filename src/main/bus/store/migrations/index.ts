import { initial } from './001-initial.ts'
import { observing } from './002-observing.ts'
import { tracing } from './003-tracing.ts'
import { access } from './004-access.ts'
import { gaps } from './005-gaps.ts'

/** In order, and never changed once released: migration k leads from version k to version k + 1 (`user_version`). */
export const migrations: readonly string[] = [initial, observing, tracing, access, gaps]
