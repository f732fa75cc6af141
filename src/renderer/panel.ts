import { mount } from 'svelte'
import './lib/styles/tokens.css'
import './lib/styles/base.css'
import './lib/styles/layout.css'
import './lib/styles/status.css'
import { Interface } from './lib/state/interface.ts'
import { findCarrier } from './lib/transport/carrier.ts'
import Panel from './panel/Panel.svelte'

mount(Panel, { target: document.querySelector('#app')!, props: { shared: new Interface(findCarrier()) } })
