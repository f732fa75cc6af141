import Circle from '@lucide/svelte/icons/circle'
import CircleCheck from '@lucide/svelte/icons/circle-check'
import CircleDotDashed from '@lucide/svelte/icons/circle-dot-dashed'
import CircleX from '@lucide/svelte/icons/circle-x'
import TimerOff from '@lucide/svelte/icons/timer-off'
import type { StatusName } from '../../../shared/control/intent-views.ts'
import type { Icon } from './icon.ts'

/** The shape of each status, so that its colour is never all there is. */
export const STATUS_ICONS: Readonly<Record<StatusName, Icon>> = {
  open: Circle,
  claimed: CircleDotDashed,
  fulfilled: CircleCheck,
  dead: CircleX,
  expired: TimerOff
}
