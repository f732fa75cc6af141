import multicastDns from 'multicast-dns'

/** Prints what is said by mDNS of buses, as JSON lines, and asks twice: `node listen-mdns.ts <own address>`. */
const [own = ''] = process.argv.slice(2)
const SERVICE = '_intent-bus._tcp.local'
const mdns = multicastDns({ interface: own, bind: '0.0.0.0' })

mdns.on('response', ({ answers, additionals }, { address }) => {
  for (const record of [...(answers ?? []), ...(additionals ?? [])]) {
    const isOurs = record.name.endsWith(SERVICE) || record.name.endsWith('-bus.local') || record.type === 'A'
    if (!isOurs || record.type === 'OPT' || record.type === 'NSEC') continue
    const { name, type, ttl, data } = record
    const text = type === 'TXT' ? (data as Buffer[]).map(String) : data
    process.stdout.write(`${JSON.stringify({ from: address, name, type, ttl, data: text })}\n`)
  }
})
mdns.on('ready', () => {
  const ask = (): void => mdns.query([{ name: SERVICE, type: 'PTR' }])
  setTimeout(ask, 200)
  setInterval(ask, 1_000)
  process.stdout.write('{"type":"ready"}\n')
})
