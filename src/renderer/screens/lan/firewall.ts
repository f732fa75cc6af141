import type { Platform } from '../../../shared/control/network-views.ts'

/** Where mDNS is spoken, by which machines find each other. */
const DISCOVERY = '5353/udp'

/** What the firewall of a system asks, and how it is told. */
export interface FirewallAdvice {
  readonly system: 'Linux' | 'macOS' | 'Windows'
  readonly text: string
  /** What opens the ports, one for each kind of firewall; empty where a dialog does. */
  readonly commands: readonly { readonly id: string; readonly label: string; readonly code: string }[]
}

/** `platform`: of the bus's machine; the advice of all for `other`. `port`: that of sharing. */
export function firewallAdvice(platform: Platform, port: number): FirewallAdvice[] {
  const all: readonly (readonly [platform: Platform, advice: FirewallAdvice])[] = [
    [
      'linux',
      {
        system: 'Linux',
        text: `Linux does not ask. If a firewall runs, let in \`${port}/tcp\` for the bus, and \`${DISCOVERY}\` so that it is found by its name.`,
        commands: [
          { id: 'ufw', label: 'ufw', code: `sudo ufw allow ${port}/tcp && sudo ufw allow ${DISCOVERY}` },
          {
            id: 'firewalld',
            label: 'firewalld',
            code: `sudo firewall-cmd --permanent --add-port=${port}/tcp --add-port=${DISCOVERY} && sudo firewall-cmd --reload`
          }
        ]
      }
    ],
    [
      'macos',
      {
        system: 'macOS',
        text: 'macOS asks once whether this app may accept incoming connections, and whether it may find devices on the local network: allow both.',
        commands: []
      }
    ],
    [
      'windows',
      {
        system: 'Windows',
        text: `Windows asks once whether this app may be reached: allow it on private networks, for \`${port}/tcp\` and, to be found by its name, \`${DISCOVERY}\`. Your Wi-Fi must be set to “Private network”.`,
        commands: []
      }
    ]
  ]
  return all.filter(([name]) => platform === 'other' || name === platform).map(([, advice]) => advice)
}
