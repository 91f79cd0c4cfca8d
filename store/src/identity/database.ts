/** The identity tables' rows. */
export interface IdentityDatabase {
  identity_domain: { id: string; name: string; description: string; enabled: number }
  identity_project: {
    id: string
    name: string
    domain_id: string
    parent_id: string | null
    description: string
    enabled: number
    /** JSON array of strings. */
    tags: string
  }
  identity_user: {
    id: string
    name: string
    domain_id: string
    default_project_id: string | null
    email: string | null
    description: string
    enabled: number
  }
  identity_password: { user_id: string; hash: string; changed_at: number }
  identity_group: { id: string; name: string; domain_id: string; description: string }
  identity_member: { group_id: string; user_id: string }
  identity_role: { id: string; name: string; description: string | null }
  identity_grant: {
    actor_kind: 'user' | 'group'
    actor_id: string
    target_kind: 'project' | 'domain' | 'system'
    target_id: string
    role_id: string
  }
  identity_app_credential: {
    id: string
    name: string
    user_id: string
    project_id: string
    description: string
    /** JSON array of ids. */
    role_ids: string
    secret_hash: string
    expires_at: number | null
    unrestricted: number
  }
  identity_region: { id: string; description: string; parent_region_id: string | null }
  identity_service: { id: string; type: string; name: string; description: string; enabled: number }
  identity_endpoint: {
    id: string
    service_id: string
    region_id: string | null
    interface: string
    url: string
    enabled: number
  }
  identity_revocation: { subject: string; at: number; until: number }
  identity_signing_key: { id: string; secret: string; created_at: number }
}
