// The keys of a Compose file, offered while typing.
const of = (type: string, names: string) => names.split(' ').map((label) => ({ label, type }));
export const words = [
  ...of('keyword', 'name services networks volumes configs secrets include'),
  ...of('property', 'image build command entrypoint environment env_file ports expose depends_on deploy healthcheck labels logging restart user working_dir volumes networks secrets configs profiles extends hostname init cap_add cap_drop read_only security_opt shm_size stop_grace_period stop_signal sysctls tmpfs ulimits pull_policy platform container_name develop extra_hosts dns mem_limit cpus'),
  ...of('property', 'context dockerfile args target cache_from test interval timeout retries start_period condition service_healthy service_started replicas resources limits reservations memory external driver driver_opts internal attachable ipam subnet'),
  ...of('constant', 'unless-stopped always on-failure'),
  ...of('property', 'traefik.enable traefik.http.routers berth.cache'),
];
