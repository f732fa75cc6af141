import type { LucideIcon } from '@lucide/svelte'

/** An icon of @lucide/svelte, imported alone: `import Send from '@lucide/svelte/icons/send'`. */
export type Icon = LucideIcon
