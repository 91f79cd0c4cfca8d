import manifest from '../package.json' with { type: 'json' }

/** This product's version, which all its packages share; in a bundle it is part of the file. */
export const productVersion: string = manifest.version
