import { MediaQuery } from 'svelte/reactivity'

/** Whether the window is as narrow as a phone: there what is done most stands first, and where a thumb reaches. */
export const phone = new MediaQuery('max-width: 720px')
