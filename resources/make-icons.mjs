#!/usr/bin/env node
/**
 * Draws every icon of the app: the app's own from `icon.svg`, and those for the tray, in all sizes and containers that the
 * platforms want. Run it after a change of the drawings; its results are part of the repository.
 *
 *   node resources/make-icons.mjs            with playwright's Chromium, or the one that CHROMIUM names
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright'

const FOLDER = import.meta.dirname
const PNG_SIZES = [16, 24, 32, 48, 64, 128, 256, 512, 1024]
const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256]
/** Of the interface when a browser installs it: phones cut a maskable one to a circle or a squircle of their own. */
const INSTALLED = join(FOLDER, '..', 'src', 'renderer', 'public', 'assets')
const GROUND = '#4a45c4'
/** Apple's names for a PNG of each size; those after the first five are the same sizes for dense screens. */
const ICNS_TYPES = [
  ['icp4', 16], ['icp5', 32], ['ic07', 128], ['ic08', 256], ['ic09', 512],
  ['ic11', 32], ['ic12', 64], ['ic13', 256], ['ic14', 512], ['ic10', 1024]
]
const TRAY_SCALES = [['', 16], ['@2x', 32], ['@3x', 48]]
/** The tray's own ground is what the theme says; `Template` is coloured by macOS. */
const TRAY_INKS = [['-light', '#24282e'], ['-dark', '#f2f4f7'], ['Template', '#000000']]

/** What tells the states apart, by shape first: colour alone says nothing to some, and nothing at all in a template. */
const TRAY_BADGES = {
  normal: () => '',
  paused: (ink) => `<g stroke="${ink}" stroke-width="2"><path d="M10.5 10v4.5M14 10v4.5"/></g>`,
  trouble: (ink, isTemplate) => `<g stroke="${isTemplate ? ink : '#e5484d'}" stroke-width="2.2"><path d="M12.5 8.5v3.5M12.5 14.7v.01"/></g>`
}

function tray(state, ink, isTemplate) {
  const badge = TRAY_BADGES[state](ink, isTemplate)
  const room = badge === '' ? '' : '<rect x="8.2" y="7" width="8" height="9" fill="#000"/>'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke-linecap="round">
    <mask id="room" maskUnits="userSpaceOnUse" x="0" y="0" width="16" height="16"><rect width="16" height="16" fill="#fff"/>${room}</mask>
    <g mask="url(#room)" stroke="${ink}" stroke-width="1.5">
      <path d="M1 8h4.5M10.5 8H15M4.5 8V3.5M11.5 8v4.5"/>
      <circle cx="8" cy="8" r="2.25"/>
      <circle cx="4.5" cy="3" r="1" fill="${ink}"/>
      <circle cx="11.5" cy="13" r="1" fill="${ink}"/>
    </g>
    ${badge}
  </svg>`
}

function ico(images) {
  const HEAD = 6
  const ENTRY = 16
  const head = Buffer.alloc(HEAD + ENTRY * images.length)
  head.writeUInt16LE(1, 2)
  head.writeUInt16LE(images.length, 4)
  let offset = head.length
  images.forEach(({ size, png }, i) => {
    const at = HEAD + ENTRY * i
    // A byte cannot say 256; it says 0.
    head.writeUInt8(size % 256, at)
    head.writeUInt8(size % 256, at + 1)
    head.writeUInt16LE(1, at + 4)
    head.writeUInt16LE(32, at + 6)
    head.writeUInt32LE(png.length, at + 8)
    head.writeUInt32LE(offset, at + 12)
    offset += png.length
  })
  return Buffer.concat([head, ...images.map(({ png }) => png)])
}

function icns(entries) {
  const chunks = entries.map(({ type, png }) => {
    const head = Buffer.alloc(8)
    head.write(type, 'latin1')
    head.writeUInt32BE(png.length + 8, 4)
    return Buffer.concat([head, png])
  })
  const head = Buffer.alloc(8)
  head.write('icns', 'latin1')
  head.writeUInt32BE(chunks.reduce((sum, chunk) => sum + chunk.length, 8), 4)
  return Buffer.concat([head, ...chunks])
}

const browser = await chromium.launch({
  ...(process.env.CHROMIUM && { executablePath: process.env.CHROMIUM }),
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : []
})
const page = await browser.newPage()

async function rasterise(svg, size) {
  await page.setViewportSize({ width: size, height: size })
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw;height:100vh}</style>${svg}`)
  return page.screenshot({ omitBackground: true })
}

mkdirSync(join(FOLDER, 'icons'), { recursive: true })
mkdirSync(join(FOLDER, 'tray'), { recursive: true })

const drawing = readFileSync(join(FOLDER, 'icon.svg'), 'utf8')
const pngs = new Map()
for (const size of PNG_SIZES) {
  pngs.set(size, await rasterise(drawing, size))
  writeFileSync(join(FOLDER, 'icons', `${size}x${size}.png`), pngs.get(size))
}
writeFileSync(join(FOLDER, 'icon.ico'), ico(ICO_SIZES.map((size) => ({ size, png: pngs.get(size) }))))
writeFileSync(join(FOLDER, 'icon.icns'), icns(ICNS_TYPES.map(([type, size]) => ({ type, png: pngs.get(size) }))))

for (const state of Object.keys(TRAY_BADGES)) {
  for (const [ink, colour] of TRAY_INKS) {
    for (const [scale, size] of TRAY_SCALES) {
      const png = await rasterise(tray(state, colour, ink === 'Template'), size)
      writeFileSync(join(FOLDER, 'tray', `${state}${ink}${scale}.png`), png)
    }
  }
}

/** The drawing on a ground that reaches the edges, in the middle fifths that no mask cuts off. */
const unmasked = drawing.replace(/<rect[^>]*>/, `<rect x="-32" y="-32" width="128" height="128" fill="${GROUND}" />`)
const maskable = unmasked.replace('viewBox="0 0 64 64"', 'viewBox="-3 -3 70 70"')

mkdirSync(INSTALLED, { recursive: true })
for (const size of [192, 512]) writeFileSync(join(INSTALLED, `icon-${size}.png`), await rasterise(drawing, size))
writeFileSync(join(INSTALLED, 'icon-maskable-512.png'), await rasterise(maskable, 512))
writeFileSync(join(INSTALLED, 'apple-touch-icon.png'), await rasterise(unmasked, 180))

await browser.close()
