import type { Catalogue } from '../../catalogue.ts'
import { createBlobs } from './blobs.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { droppingVerb } from './dropping.ts'
import { nowhereElse } from '../exchange/nowhere.ts'
import { fetchingVerb } from './fetching.ts'
import { findingVerb } from './finding.ts'
import { manifestVerbs } from './manifests.ts'
import { namingVerbs } from './naming.ts'
import { sendingVerb } from './sending.ts'
import { sourceVerbs } from './sources.ts'
import { sweepVerb } from './sweep.ts'

/**
 * Puts the catalogue together. There must be only one for a blob store: it keeps those apart who bring and who remove the
 * same blob.
 */
export function createCatalogue(deps: CatalogueDeps): Catalogue {
  const blobs = createBlobs(deps)
  const { addBlob, keepUpload, holdBlob, openBlob, readBlob } = blobs
  const finding = findingVerb(deps)
  const { parse, ...manifests } = manifestVerbs(deps, blobs)
  return {
    addBlob,
    keepUpload,
    holdBlob,
    openBlob,
    readBlob,
    ...manifests,
    ...namingVerbs(deps, blobs),
    ...droppingVerb(deps, blobs),
    ...finding,
    elsewhere: nowhereElse(deps.store, finding.find),
    ...fetchingVerb(deps, blobs, { ...manifests, parse }),
    ...sendingVerb(deps, blobs, { ...manifests, parse }),
    ...sourceVerbs(deps),
    ...sweepVerb(deps, blobs),
  }
}
