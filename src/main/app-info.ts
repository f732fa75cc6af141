import info from '../../package.json' with { type: 'json' }

export const APP_NAME: string = info.productName
export const APP_VERSION: string = info.version
/** The folder for the app's data is called this. */
export const APP_ID: string = info.name
