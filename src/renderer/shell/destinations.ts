import Activity from '@lucide/svelte/icons/scroll-text'
import HardDrive from '@lucide/svelte/icons/hard-drive'
import Gauge from '@lucide/svelte/icons/gauge'
import Key from '@lucide/svelte/icons/key-round'
import List from '@lucide/svelte/icons/list'
import Network from '@lucide/svelte/icons/network'
import Send from '@lucide/svelte/icons/send'
import Settings from '@lucide/svelte/icons/settings-2'
import Workers from '@lucide/svelte/icons/cpu'
import type { Component } from 'svelte'
import type { Right } from '../../shared/control/rights.ts'
import type { ScreenName } from '../lib/state/router.svelte.ts'
import type { Icon } from '../lib/ui/icon.ts'

/** A screen as the navigation knows it. */
export interface Destination {
  readonly screen: ScreenName
  readonly label: string
  readonly icon: Icon
  /** Goes there, behind `g`. */
  readonly key: string
  /** Whoever lacks it is not led there. */
  readonly right: Right
  /** On phones, where there is room for few, other screens lead there. */
  readonly isRare?: true
  /** Each screen is a file of its own, fetched when somebody goes there. */
  load(): Promise<{ readonly default: Component }>
}

export const DESTINATIONS: readonly Destination[] = [
  { screen: 'overview', label: 'Overview', icon: Gauge, key: 'o', right: 'watch', load: () => import('../screens/overview/Overview.svelte') },
  { screen: 'intents', label: 'Intents', icon: List, key: 'i', right: 'watch', load: () => import('../screens/intents/Intents.svelte') },
  { screen: 'publish', label: 'Publish', icon: Send, key: 'p', right: 'publish', load: () => import('../screens/publish/Publish.svelte') },
  { screen: 'workers', label: 'Workers', icon: Workers, key: 'w', right: 'watch', load: () => import('../screens/workers/Workers.svelte') },
  { screen: 'keys', label: 'Keys', icon: Key, key: 'k', right: 'manage', load: () => import('../screens/keys/Keys.svelte') },
  { screen: 'lan', label: 'Network', icon: Network, key: 'n', right: 'manage', load: () => import('../screens/lan/Lan.svelte') },
  {
    screen: 'activity',
    label: 'Activity',
    icon: Activity,
    key: 'a',
    right: 'manage',
    isRare: true,
    load: () => import('../screens/activity/Activity.svelte')
  },
  {
    screen: 'storage',
    label: 'Storage',
    icon: HardDrive,
    key: 'd',
    right: 'manage',
    isRare: true,
    load: () => import('../screens/storage/Storage.svelte')
  },
  { screen: 'settings', label: 'Settings', icon: Settings, key: 's', right: 'manage', load: () => import('../screens/settings/Settings.svelte') }
]
