"""Calls the methods of Debian's python3-docker on an engine; prints what came of each as JSON.

Usage: /usr/bin/python3 python_docker.py ADDRESS DIRECT REGISTRY
  ADDRESS   what is tried: an engine, or a broker before it
  DIRECT    the engine itself; what the broker refuses by its policy is then done there, so that both runs go on alike
  REGISTRY  HOST:PORT of a registry without TLS on the engine's loopback

{"outcomes": [[step, outcome]...], "refused": [step...], "called": [method...], "methods": [method...]}; a method is
"APIClient.attach", found by introspection and counted when it runs.
"""
import atexit
import inspect
import io
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
import time

import docker
import docker.models.configs
import docker.models.containers
import docker.models.images
import docker.models.networks
import docker.models.nodes
import docker.models.plugins
import docker.models.secrets
import docker.models.services
import docker.models.swarm
import docker.models.volumes
from docker.types import ContainerSpec, EndpointSpec, Mount, RestartPolicy, ServiceMode, TaskTemplate, UpdateConfig

IMAGE = 'berth.local/busybox:latest'
MODELS = [getattr(docker.models, name) for name in
          ('configs', 'containers', 'images', 'networks', 'nodes', 'plugins', 'secrets', 'services', 'swarm', 'volumes')]


def classes():
    yield docker.APIClient
    yield docker.DockerClient
    for module in MODELS:
        for _, each in inspect.getmembers(module, inspect.isclass):
            if each.__module__ == module.__name__:
                yield each


def count_calls():
    """(all methods, those that ran so far): every public method of docker's own code, wrapped."""
    methods, called = set(), set()

    def wrap(owner, name, method):
        label = f'{owner.__name__}.{name}'
        methods.add(label)

        def counted(*arguments, **named):
            called.add(label)
            return method(*arguments, **named)
        setattr(owner, name, counted)

    for owner in classes():
        for name, method in inspect.getmembers(owner, inspect.isfunction):
            if not name.startswith('_') and method.__module__.startswith('docker'):
                wrap(owner, name, method)
    return methods, called


METHODS, CALLED = count_calls()


def shape(value):
    """The value with its kinds in place of what differs between two runs."""
    if isinstance(value, dict):
        # Names that hold an id or a path of the run are one name.
        return {re.sub(r'[0-9a-f]{12,64}', 'ID', str(key)): shape(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return sorted({json.dumps(shape(each), sort_keys=True) for each in value})
    if isinstance(value, docker.models.resource.Model):
        return [type(value).__name__, sorted(value.attrs)]
    if inspect.isgenerator(value) or isinstance(value, docker.types.daemon.CancellableStream):
        return ['stream', shape(list(value))]
    return type(value).__name__


class Exact:
    """An outcome that is the same to the letter."""

    def __init__(self, value):
        self.value = value


def plain(text):
    text = re.sub(r'\b[0-9a-z]{25}\b|\b[0-9a-f]{12}(?:[0-9a-f]{52})?\b', 'ID', str(text))
    return re.sub(r'127\.0\.0\.1:\d+|\d+(\.\d+)?s\b|unix\S+|http\+docker://\S+', 'X', text)


class Run:
    """The steps in their order; `client` is the library's, on the address that is tried."""

    def __init__(self, address, direct, registry):
        self.clients = {where: docker.DockerClient(base_url=where, version='auto', timeout=60)
                        for where in {address, direct}}
        self.address, self.direct, self.registry = address, direct, registry
        self.client, self.api = self.clients[address], self.clients[address].api
        self.outcomes, self.refused = [], []

    def outcome(self, deed):
        try:
            value = deed()
        except docker.errors.APIError as error:
            return 'error', type(error).__name__, error.status_code, plain(error.explanation)
        except docker.errors.DockerException as error:
            return 'error', type(error).__name__, 0, plain(error)
        return 'ok', (plain(value.value) if isinstance(value.value, str) else value.value) \
            if isinstance(value, Exact) else shape(value)

    def step(self, name, deed):
        """`deed` takes no arguments; a failure of the library is an outcome like another."""
        self.outcomes.append((name, self.outcome(deed)))

    def beyond(self, name, deed):
        """What no client of the broker's policy may do: tried here, then done on the engine itself."""
        self.step(name, deed)
        self.refused.append(name)
        if self.address == self.direct or self.outcomes[-1][1][0] == 'ok':
            return
        self.client, self.api = self.clients[self.direct], self.clients[self.direct].api
        self.outcome(deed)
        self.client, self.api = self.clients[self.address], self.clients[self.address].api

    def here(self, model):
        """The model on the address that is tried now."""
        if isinstance(model, docker.models.images.RegistryData):
            return type(model)(model.image_name, model.attrs, self.client, self.client.images)
        return type(model)(model.attrs, self.client, self.client.nodes)

    # --- the parts ---------------------------------------------------------------------------------------------

    def system(self):
        self.step('ping', lambda: Exact(self.client.ping()))
        self.step('version', lambda: self.client.version())
        self.step('version without api', lambda: self.api.version(api_version=False))
        self.step('info', lambda: self.client.info())
        self.step('df', lambda: sorted(self.client.df()))
        self.step('containers by api', lambda: self.api.containers(all=True, size=True, limit=5, quiet=False))
        self.step('images by api', lambda: self.api.images(quiet=True))
        self.step('volumes by api', lambda: self.api.volumes())
        self.step('reload_config', lambda: self.api.reload_config())
        self.step('events', lambda: list(self.client.events(since=1, until=2, decode=True)))
        self.step('low events', lambda: list(self.api.events(since=1, until=2, filters={'type': 'container'})))

    def create(self):
        api = self.api
        self.step('networking config', lambda: api.create_networking_config(
            {'bridge': api.create_endpoint_config(aliases=None)}))
        host = lambda: api.create_host_config(
            binds=['pyvol:/data:rw'], port_bindings={80: ('127.0.0.1', 18099)}, mem_limit='64m', memswap_limit='64m',
            cap_drop=['ALL'], cap_add=['CHOWN'], dns=['127.0.0.53'], extra_hosts={'a': '127.0.0.9'}, init=True,
            log_config={'Type': 'json-file', 'Config': {'max-size': '1m'}}, nano_cpus=500000000, pids_limit=50,
            restart_policy={'Name': 'on-failure', 'MaximumRetryCount': 2}, shm_size=1 << 20, tmpfs={'/scratch': 'size=1m'},
            ulimits=[docker.types.Ulimit(name='nofile', soft=100, hard=100)], sysctls={'net.core.somaxconn': '512'},
            mounts=[Mount('/more', 'pyvol2', type='volume', labels={'a': 'b'}), Mount('/t', None, type='tmpfs')])
        self.step('create_host_config', host)
        self.step('create_volume', lambda: api.create_volume('pyvol', driver='local', driver_opts={}, labels={'a': 'b'}))
        self.step('create_container', lambda: api.create_container(
            IMAGE, ['sh', '-c', 'echo out; echo err >&2; exec sleep 300'], name='py1', hostname='h', user='0',
            environment={'A': '1'}, labels={'l': '1'}, ports=[80], volumes=['/data'], stdin_open=True, working_dir='/tmp',
            stop_signal='SIGKILL', stop_timeout=1, healthcheck={'test': ['CMD', 'true'], 'interval': 10 ** 9},
            host_config=host()))
        self.step('create from config', lambda: api.create_container_from_config(
            api.create_container_config(IMAGE, 'true'), name='py2'))
        self.step('start', lambda: api.start('py1'))
        self.step('inspect_container', lambda: api.inspect_container('py1'))
        self.step('inspect of none', lambda: api.inspect_container('no-such-container'))
        self.step('port', lambda: Exact(api.port('py1', 80)))

    def container(self):
        one = self.client.containers.get('py1')
        wait(lambda: sorted(one.logs().split()) == [b'err', b'out'])
        self.step('logs', lambda: Exact([one.logs(stderr=False, tail=5).decode(), one.logs(stdout=False).decode()]))
        # One stream: the engine keeps no order between the two.
        self.step('logs followed', lambda: Exact(next(iter(one.logs(stream=True, follow=True, stderr=False))).decode()))
        self.step('stats', lambda: self.api.stats('py1', stream=False))
        self.step('stats stream', lambda: [next(iter(one.stats(decode=True, stream=True)))])
        self.step('top', lambda: one.top(ps_args='-ef'))
        self.step('diff', lambda: one.diff())
        self.attach()
        self.step('pause', lambda: (one.pause(), one.unpause()))
        self.step('update', lambda: one.update(mem_limit='96m', memswap_limit='96m', cpu_shares=100))
        self.step('rename', lambda: (one.rename('py3'), one.rename('py1')))
        self.step('resize', lambda: one.resize(20, 80))
        self.step('reload', lambda: one.reload())
        self.step('restart', lambda: one.restart(timeout=1))
        self.step('get', lambda: self.client.containers.get('py1'))
        self.step('list', lambda: self.client.containers.list(all=True, filters={'name': 'py1', 'status': 'running'}))
        self.step('commit', lambda: one.commit('pymade', 'one', changes='ENV B=2', message='m', author='a'))
        self.executions(one)
        self.files(one)
        self.step('stop', lambda: one.stop(timeout=1))
        self.step('wait', lambda: Exact(one.wait(timeout=20)['StatusCode']))
        self.step('start again', lambda: one.start())
        self.step('kill', lambda: one.kill('SIGKILL'))
        self.step('remove', lambda: one.remove(v=True, force=True))

    def attach(self):
        self.step('run to attach', lambda: self.client.containers.run(
            IMAGE, ['sh', '-c', 'while true; do echo tick; sleep 0.1; done'], detach=True, name='py6'))
        one = self.client.containers.get('py6')
        self.step('attach', lambda: Exact(next(iter(one.attach(stream=True, logs=False))).decode().splitlines()[0]))
        self.step('attach_socket', lambda: one.attach_socket(params={'stdout': 1, 'stream': 1}).close())
        self.step('remove attached', lambda: one.remove(force=True))

    def executions(self, one):
        self.step('exec_run', lambda: Exact(list(map(str, one.exec_run(['sh', '-c', 'echo $V; exit 3'],
                                                                       environment={'V': 'v'}, workdir='/')))))
        self.step('exec streams', lambda: Exact([str(piece) for piece in
                                                 one.exec_run(['echo', 'both'], stream=True, demux=True).output]))
        self.step('exec detached', lambda: one.exec_run('true', detach=True).output)
        self.step('exec with terminal', lambda: Exact(one.exec_run('tty', tty=True, stdin=True).output.decode()))
        self.step('exec with socket', lambda: Exact(spoken(one.exec_run('cat', stdin=True, socket=True).output)))
        made = self.clients[self.direct].api.exec_create('py1', 'sleep 5', tty=True)
        self.step('exec_start', lambda: self.api.exec_start(made, detach=True))
        self.step('exec_resize', lambda: self.api.exec_resize(made, 20, 80))
        self.step('exec_inspect', lambda: self.api.exec_inspect(made))

    def files(self, one):
        self.step('put_archive', lambda: Exact(one.put_archive('/tmp', packed('file', b'content'))))
        self.step('get_archive', lambda: Exact(unpacked(one.get_archive('/tmp/file'))))
        self.step('archive of none', lambda: one.get_archive('/no/such'))
        self.step('export', lambda: Exact(len(b''.join(one.export())) > 100000))

    def images(self):
        images, api = self.client.images, self.api
        self.step('images.list', lambda: images.list(name='berth.local/busybox'))
        self.step('images.get', lambda: images.get(IMAGE))
        self.step('images.get of none', lambda: images.get('no-such-image'))
        image = self.client.images.get(IMAGE)
        self.step('reload image', lambda: image.reload())
        self.step('history', lambda: image.history())
        self.step('tag', lambda: Exact(image.tag('pytag', 'one')))
        self.step('low tag', lambda: Exact(api.tag(IMAGE, 'pytag', 'two', force=True)))
        saved = []
        self.step('save', lambda: saved.extend(image.save()))
        self.step('low save', lambda: Exact(len(b''.join(api.get_image('pytag:two'))) > 100000))
        self.step('load', lambda: images.load(b''.join(saved)))
        self.step('build', lambda: list(images.build(
            fileobj=io.BytesIO(f'FROM {IMAGE}\nARG X\nRUN echo $X > /x\n'.encode()), tag='pybuilt:1', rm=True,
            buildargs={'X': '1'}, labels={'a': 'b'}, nocache=True, extra_hosts={'h': '127.0.0.1'},
            network_mode='none', container_limits={'memory': 64 << 20}))[:1])
        self.step('build without', lambda: images.build(fileobj=io.BytesIO(b'FROM berth.local/none\n')))
        self.imports()
        self.step('images.remove', lambda: images.remove('pybuilt:1', force=True))
        self.step('remove_image', lambda: api.remove_image('pytag:one', noprune=True))
        self.step('remove of none', lambda: api.remove_image('no-such-image'))
        self.step('prune', lambda: images.prune(filters={'label': ['none=1']}))
        self.step('prune_builds', lambda: images.prune_builds())

    def imports(self):
        archive, api = packed('x', b'1'), self.api
        with tempfile.NamedTemporaryFile(suffix='.tar', delete=False) as file:
            file.write(archive)
        atexit.register(os.remove, file.name)
        self.step('import_image', lambda: api.import_image(file.name, repository='pyimp', tag='1'))
        self.step('import from data', lambda: api.import_image_from_data(archive, repository='pyimp', tag='2'))
        self.step('import from file', lambda: api.import_image_from_file(file.name, repository='pyimp'))
        self.step('import from stream', lambda: api.import_image_from_stream(iter([archive]), repository='pyimp'))
        self.step('import from image', lambda: api.import_image_from_image('no-such-image:1', repository='pyimp'))
        self.beyond('import from url', lambda: api.import_image_from_url(f'http://{self.registry}/x', repository='pyimp'))

    def registries(self):
        images, api, name = self.client.images, self.api, f'{self.registry}/pypush'
        self.step('tag for push', lambda: Exact(api.tag(IMAGE, name, '1')))
        self.step('login', lambda: self.client.login('u', 'p', registry=f'http://{self.registry}'))
        self.step('push', lambda: images.push(name, tag='1', auth_config={'username': 'u', 'password': 'p'}))
        self.step('remove pushed', lambda: api.remove_image(f'{name}:1'))
        self.step('pull', lambda: images.pull(name, tag='1', auth_config={'username': 'u', 'password': 'p'}))
        self.step('pull of none', lambda: api.pull(f'{self.registry}/nothing', tag='1'))
        self.beyond('inspect_distribution', lambda: api.inspect_distribution(f'{name}:1'))
        data = self.clients[self.direct].images.get_registry_data(f'{name}:1')
        self.beyond('get_registry_data', lambda: images.get_registry_data(f'{name}:1'))
        data = self.here(data)
        self.step('has_platform', lambda: Exact(data.has_platform('linux/amd64')))
        self.step('pull by digest', lambda: data.pull())
        self.beyond('reload registry data', lambda: self.here(data).reload())
        self.beyond('search', lambda: images.search(f'{self.registry}/x', limit=1))

    def networks(self):
        networks, api = self.client.networks, self.api
        ipam = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool('10.201.7.0/24', gateway='10.201.7.1')])
        self.step('networks.create', lambda: networks.create('pynet', driver='bridge', internal=True, ipam=ipam,
                                                             labels={'a': 'b'}, check_duplicate=True, options={
                                                                 'com.docker.network.bridge.enable_icc': 'true'}))
        self.step('low create_network', lambda: api.create_network('pynet2', attachable=False, scope='local'))
        self.step('networks.list', lambda: networks.list(names=['pynet'], greedy=True))
        self.step('low networks', lambda: api.networks(names=['pynet2']))
        self.step('networks.get', lambda: networks.get('pynet'))
        net = self.client.networks.get('pynet')
        self.step('connect', lambda: net.connect('py2', aliases=['a'], ipv4_address='10.201.7.9', links=[('py2', 'l')],
                                                 link_local_ips=None, driver_opt={}))
        self.step('reload network', lambda: net.reload())
        self.step('disconnect', lambda: net.disconnect('py2', force=True))
        self.step('connect without', lambda: api.connect_container_to_network('no-such-container', net.id))
        self.step('low connect', lambda: (api.connect_container_to_network('py2', net.id),
                                          api.disconnect_container_from_network('py2', net.id)))
        self.step('remove network', lambda: net.remove())
        self.step('low remove network', lambda: api.remove_network('pynet2'))
        self.step('prune networks', lambda: networks.prune(filters={'label': ['none=1']}))

    def volumes(self):
        volumes, api = self.client.volumes, self.api
        self.step('volumes.create', lambda: volumes.create('pyvol3', labels={'a': 'b'}, driver_opts={
            'type': 'tmpfs', 'device': 'tmpfs', 'o': 'size=1m'}))
        self.step('volumes.list', lambda: volumes.list(filters={'name': 'pyvol3'}))
        volume = self.client.volumes.get('pyvol3')
        self.step('volumes.get', lambda: volumes.get('pyvol3'))
        self.step('inspect_volume of none', lambda: api.inspect_volume('no-such-volume'))
        self.step('reload volume', lambda: volume.reload())
        self.step('remove volume', lambda: volume.remove(force=True))
        self.step('low remove volume', lambda: api.remove_volume('pyvol'))
        self.step('prune volumes', lambda: volumes.prune(filters={'label': ['none=1']}))

    def runs(self):
        containers = self.client.containers
        self.step('run', lambda: Exact(containers.run(IMAGE, 'echo hello', remove=True).decode()))
        self.step('run that fails', lambda: containers.run(IMAGE, ['sh', '-c', 'echo no >&2; exit 7'], remove=True))
        self.step('run without image', lambda: containers.create('berth.local/none:1'))
        self.step('run detached', lambda: containers.run(IMAGE, 'sleep 100', detach=True, name='py4', auto_remove=True,
                                                         network='bridge', mem_limit='32m', volumes={'pyvol5': {
                                                             'bind': '/v', 'mode': 'ro'}}))
        self.step('kill by api', lambda: self.api.kill('py4'))
        self.step('containers.create', lambda: containers.create(IMAGE, 'true', name='py5', read_only=True, tty=True))
        self.step('prune containers', lambda: containers.prune(filters={'label': ['none=1']}))
        for name, options in (('privileged', {'privileged': True}), ('host network', {'network_mode': 'host'}),
                              ('bind of root', {'volumes': {'/': {'bind': '/h', 'mode': 'ro'}}})):
            self.beyond(f'create with {name}', lambda options=options: containers.create(IMAGE, 'true', **options))

    def swarm(self):
        swarm, api = self.client.swarm, self.api
        self.beyond('swarm.init', lambda: self.client.swarm.init('127.0.0.1', listen_addr='127.0.0.1:12377',
                                                                 task_history_retention_limit=2))
        self.step('swarm.reload', lambda: swarm.reload())
        self.step('inspect_swarm', lambda: api.inspect_swarm())
        self.beyond('swarm.update', lambda: (self.client.swarm.reload(), self.client.swarm.update(
            task_history_retention_limit=3))[1])
        self.beyond('swarm.join', lambda: self.client.swarm.join(['127.0.0.1:1'], 'token'))
        self.beyond('swarm.get_unlock_key', lambda: self.client.swarm.get_unlock_key())
        self.beyond('swarm.unlock', lambda: self.client.swarm.unlock('SWMKEY-1-x'))
        self.step('nodes.list', lambda: self.client.nodes.list())
        node = self.client.nodes.list()[0]
        self.step('nodes.get', lambda: self.client.nodes.get(node.id))
        self.step('reload node', lambda: node.reload())
        self.beyond('node.update', lambda: self.here(node).update(
            {'Availability': 'active', 'Role': 'manager', 'Labels': {'a': 'b'}}))
        self.beyond('node.remove', lambda: self.here(node).remove())
        self.beyond('remove_node', lambda: self.api.remove_node('no-such-node'))
        self.secrets('secret', self.client.secrets, api.create_secret)
        self.secrets('config', self.client.configs, api.create_config)
        self.services()
        self.beyond('swarm.leave', lambda: self.client.swarm.leave(force=True))

    def secrets(self, kind, made, low):
        self.step(f'{kind} create', lambda: made.create(name=f'py{kind}', data=b'word', labels={'a': 'b'}))
        self.step(f'{kind} low create', lambda: low(f'py{kind}2', b'word'))
        one = next(each for each in made.list() if each.attrs['Spec']['Name'] == f'py{kind}')
        self.step(f'{kind} list', lambda: made.list(filters={'name': f'py{kind}'}))
        self.step(f'{kind} get', lambda: made.get(one.id))
        self.step(f'{kind} reload', lambda: one.reload())
        self.step(f'{kind} get of none', lambda: made.get('no-such'))
        self.step(f'{kind} remove', lambda: one.remove())

    def services(self):
        services, api = self.client.services, self.api
        secret = next(each for each in self.clients[self.direct].secrets.list())
        task = TaskTemplate(ContainerSpec(
            IMAGE, ['sleep', '300'], env=['A=1'], labels={'a': 'b'}, stop_grace_period=10 ** 9, cap_drop=['ALL'],
            mounts=[Mount('/v', 'pyvol6', type='volume')], init=True, dns_config=docker.types.DNSConfig(['127.0.0.53']),
            secrets=[docker.types.SecretReference(secret.id, secret.name)]),
            resources=docker.types.Resources(mem_limit=64 << 20), restart_policy=RestartPolicy('none'),
            placement=docker.types.Placement(['node.role==manager']))
        self.step('create_service', lambda: api.create_service(
            task, name='pysvc', labels={'a': 'b'}, mode=ServiceMode('replicated', 1),
            update_config=UpdateConfig(parallelism=1, order='start-first'), endpoint_spec=EndpointSpec('dnsrr')))
        self.step('services.create', lambda: services.create(IMAGE, ['true'], name='pysvc2', mode=ServiceMode('global'),
                                                             restart_policy=RestartPolicy('none')))
        one = self.client.services.get('pysvc')
        wait(lambda: self.clients[self.direct].api.tasks({'service': 'pysvc'}))
        self.step('services.list', lambda: services.list(filters={'name': 'pysvc2'}))
        self.step('services.get', lambda: sorted(services.get('pysvc').attrs))
        self.step('tasks', lambda: Exact(len(one.tasks())))
        task = self.clients[self.direct].api.tasks({'service': 'pysvc'})[0]['ID']
        self.step('inspect_task', lambda: sorted(set(api.inspect_task(task)) - {'NetworksAttachments'}))
        self.step('service logs', lambda: Exact(b''.join(one.logs(stdout=True, stderr=True, follow=False)).decode()))
        self.step('update service', lambda: (one.reload(), one.update(labels={'c': 'd'}, fetch_current_spec=True))[1])
        self.step('scale', lambda: (one.reload(), Exact(one.scale(0)))[1])
        self.step('force_update', lambda: (one.reload(), one.force_update())[1])
        self.beyond('service with the socket', lambda: self.client.services.create(
            IMAGE, name='pysvc3', mounts=[Mount('/s', '/var/run/docker.sock', type='bind')]))
        self.step('remove service', lambda: Exact(one.remove()))

    def plugins(self):
        self.step('plugins.list', lambda: self.client.plugins.list())
        self.step('plugins.get of none', lambda: self.client.plugins.get('no-such-plugin'))
        plugin = lambda: docker.models.plugins.Plugin({'Name': 'no-such-plugin', 'Id': 'x'}, self.client,
                                                      self.client.plugins)
        self.step('plugin.reload', lambda: plugin().reload())
        self.beyond('plugin.configure', lambda: plugin().configure({'A': '1'}))
        self.beyond('plugin.enable', lambda: plugin().enable())
        self.beyond('plugin.disable', lambda: plugin().disable())
        self.beyond('plugin.push', lambda: plugin().push())
        self.beyond('plugin.remove', lambda: plugin().remove())
        self.beyond('plugin.upgrade', lambda: list(plugin().upgrade(f'{self.registry}/x:1')))
        self.beyond('create_plugin', lambda: self.client.api.create_plugin('made', folder_of_plugin()))
        self.beyond('plugins.create', lambda: self.client.plugins.create('made', folder_of_plugin()))
        self.beyond('plugins.install', lambda: self.client.plugins.install(f'{self.registry}/x:1'))
        self.beyond('pull_plugin', lambda: list(self.client.api.pull_plugin(f'{self.registry}/x:1', [])))
        self.beyond('upgrade_plugin', lambda: list(self.client.api.upgrade_plugin('x', f'{self.registry}/x:1', [])))

    def clean(self):
        direct = self.clients[self.direct]
        self.outcome(lambda: direct.swarm.leave(force=True))
        for name in ('py1', 'py2', 'py3', 'py4', 'py5', 'py6'):
            self.outcome(lambda name=name: direct.api.remove_container(name, force=True, v=True))
        for each in direct.containers.list(all=True, filters={'label': 'com.docker.swarm.task'}):
            self.outcome(lambda each=each: each.remove(force=True, v=True))
        for each in direct.containers.list(all=True, filters={'ancestor': IMAGE, 'status': 'created'}):
            self.outcome(lambda each=each: each.remove(force=True, v=True))
        for name in ('pynet', 'pynet2', 'docker_gwbridge'):
            self.outcome(lambda name=name: direct.api.remove_network(name))
        for name in ('pyvol', 'pyvol2', 'pyvol3', 'pyvol5', 'pyvol6'):
            self.outcome(lambda name=name: direct.api.remove_volume(name, force=True))
        for image in direct.images.list():
            for tag in image.tags:
                if re.match(r'py(tag|built|imp|made)|127\.0\.0\.1:\d+/py', tag):
                    self.outcome(lambda tag=tag: direct.api.remove_image(tag, force=True))

    def all(self):
        self.clean()
        for part in (self.system, self.create, self.container, self.images, self.registries, self.networks, self.volumes,
                     self.runs, self.swarm, self.plugins):
            part()
        self.clean()
        for client in self.clients.values():
            client.close()


def wait(condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise AssertionError('what the next step needs did not come within 60 s')
        time.sleep(0.1)


def folder_of_plugin():
    folder = tempfile.mkdtemp(prefix='berth-plugin-')
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def packed(name, content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w') as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def unpacked(reply):
    stream, facts = reply
    with tarfile.open(fileobj=io.BytesIO(b''.join(stream))) as archive:
        return [(each.name, archive.extractfile(each).read().decode()) for each in archive] + [facts['name'], facts['size']]


def spoken(stream):
    """What `cat` says to a word on the raw connection."""
    connection = stream._sock
    connection.settimeout(30)
    connection.sendall(b'word\n')
    said = b''
    while not said.endswith(b'word\n'):
        said += connection.recv(100)
    connection.close()
    return said.decode()


if __name__ == '__main__':
    run = Run(*sys.argv[1:4])
    run.all()
    json.dump({'outcomes': run.outcomes, 'refused': run.refused, 'called': sorted(CALLED), 'methods': sorted(METHODS)},
              sys.stdout, indent=1)
