import type { Project } from '@gantry/control'
import type { Project as KeystoneProject } from '@gantry/openstack'

export function projectOf(said: KeystoneProject): Project {
  return {
    id: said.id,
    name: said.name,
    domainId: said.domain_id ?? 'default',
    // Keystone calls the domain the parent of what is directly below it.
    parentId: said.parent_id && said.parent_id !== said.domain_id ? said.parent_id : null,
    description: said.description ?? '',
    enabled: said.enabled,
    tags: said.tags ?? [],
  }
}
