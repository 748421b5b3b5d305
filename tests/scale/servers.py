"""A real Kafka and a real Flink cluster on this machine, of what `tools/get-engine` has got."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil

from tests.processes import end, free_port, start, wait_for
from tests.scale.rest import Rest

ROOT = Path(__file__).parents[2]
ENGINE = Path(os.environ.get("CITYVITALS_ENGINE") or ROOT / ".cache" / "engine")
SMALL_JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k"]
_PACKAGES = (
    "lang", "lang.reflect", "net", "io", "nio", "text", "time", "util", "util.concurrent", "util.concurrent.atomic",
    "util.concurrent.locks",
)  # fmt: skip
OPENS = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _PACKAGES]  # as in Flink's own settings
_CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
_QUIET = "Configuration:\n  Loggers:\n    Root:\n      level: ERROR\n"
_FLINK_LOG = """rootLogger.level = WARN
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %-5p %c{1} %m%n
"""
_KAFKA = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
offsets.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
transaction.max.timeout.ms=900000
"""


def is_there() -> bool:
    """Whether the engine is installed."""
    return all((ENGINE / part / "complete").exists() for part in ("kafka", "connector", "venv"))


def flink_home() -> Path:
    """PyFlink's folder, which is a whole Flink."""
    return next((ENGINE / "venv" / "lib").glob("python3.*")) / "site-packages" / "pyflink"


def connector() -> Path:
    """The jar that a job needs to speak to Kafka."""
    return next((ENGINE / "connector").glob("flink-sql-connector-kafka-*.jar"))


class Kafka:
    """One broker in KRaft mode, with its files in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._folder, self._settings = folder, folder / "server.properties"
        self._settings.write_text(_KAFKA.format(port=self.port, controller=free_port(), folder=folder))
        (folder / "log4j2.yaml").write_text(_QUIET)
        storage = self._java("kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._settings))
        subprocess.run(storage, check=True, capture_output=True)
        self.start()

    def _java(self, *words: str) -> list[str]:
        jvm = ["java", "-Xms64m", "-Xmx320m", *SMALL_JVM, f"-Dlog4j2.configurationFile={self._folder}/log4j2.yaml"]
        return [*jvm, "-cp", f"{ENGINE}/kafka/*", *words]

    def start(self) -> None:
        """Start it, also again with its old files."""
        self.process = start(self._java("kafka.Kafka", str(self._settings)), log=self._folder / "out.log")

    def kill(self) -> None:
        """End it without a word, as a power cut does."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End it."""
        end(self.process, 20)


class Flink:
    """A session cluster: one JobManager, so many TaskManagers of `slots` slots each."""

    def __init__(self, folder: Path, slots: int = 2) -> None:
        (folder / "conf").mkdir(parents=True)
        (folder / "tmp").mkdir()
        self.folder, self.port, self._rpc = folder, free_port(), free_port()
        (folder / "conf" / "config.yaml").write_text(self._settings(slots))
        (folder / "log4j.properties").write_text(_FLINK_LOG)
        self.rest = Rest(f"http://127.0.0.1:{self.port}")
        self.managers: dict[str, subprocess.Popen[bytes]] = {}  # those that were started and not killed
        self._started = self.ended = 0  # TaskManagers; `ended`: by themselves
        self.master = self._start("entrypoint.StandaloneSessionClusterEntrypoint", "jobmanager", 320)
        wait_for(self.rest.is_up, 90, "Flink's JobManager")

    def _settings(self, slots: int) -> str:
        settings = {
            "jobmanager.rpc.address": "127.0.0.1", "jobmanager.rpc.port": self._rpc,
            "jobmanager.bind-host": "127.0.0.1",
            "rest.address": "127.0.0.1", "rest.bind-address": "127.0.0.1", "rest.port": self.port,
            "taskmanager.host": "127.0.0.1", "taskmanager.bind-host": "127.0.0.1",
            "taskmanager.numberOfTaskSlots": slots, "taskmanager.cpu.cores": 1.0,
            "taskmanager.memory.task.heap.size": "160m", "taskmanager.memory.framework.heap.size": "96m",
            "taskmanager.memory.task.off-heap.size": "16m", "taskmanager.memory.framework.off-heap.size": "64m",
            "taskmanager.memory.jvm-metaspace.size": "160m", "taskmanager.memory.jvm-overhead.min": "64m",
            "taskmanager.memory.jvm-overhead.max": "64m", "taskmanager.memory.managed.size": "128m",
            "taskmanager.memory.network.min": "16m", "taskmanager.memory.network.max": "16m",
            "heartbeat.interval": 1000, "heartbeat.timeout": 6000, "io.tmp.dirs": self.folder / "tmp",
            "blob.storage.directory": self.folder / "tmp",
            "execution.checkpointing.savepoint-dir": (self.folder / "savepoints").as_uri(),
        }  # fmt: skip
        return "".join(f"{name}: {value}\n" for name, value in settings.items())

    def _start(self, main: str, name: str, heap: int) -> subprocess.Popen[bytes]:
        home = flink_home()
        path = f"{home}/lib/*:{next((home / 'opt').glob('flink-python-*.jar'))}"
        jvm = ["java", "-Xms64m", f"-Xmx{heap}m", *SMALL_JVM, *OPENS, f"-Djava.io.tmpdir={self.folder}/tmp"]
        log4j = f"-Dlog4j2.configurationFile={self.folder}/log4j.properties"
        command = [
            *jvm,
            log4j,
            "-cp",
            path,
            f"org.apache.flink.runtime.{main}",
            "--configDir",
            str(self.folder / "conf"),
        ]
        return start(command, log=self.folder / f"{name}.log", env=self._environment())

    def _environment(self) -> dict[str, str]:
        bin_ = ENGINE / "venv" / "bin"
        return {
            "PYTHONPATH": str(ROOT), "PATH": f"{bin_}:{os.environ['PATH']}", "FLINK_HOME": str(flink_home()),
            "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
        }  # fmt: skip

    def add(self, count: int) -> None:
        """Start TaskManagers and wait until the JobManager knows all that run. In the place of one that has ended by
        itself another is started, as Kubernetes does.
        """
        wanted = len(self.managers) + count
        while True:
            self._look_after_ended()
            for number in range(self._started + 1, self._started + 1 + wanted - len(self.managers)):
                name = f"taskmanager-{number}"
                self.managers[name] = self._start("taskexecutor.TaskManagerRunner", name, 288)
                self._started = number
            wait_for(lambda: self.rest.workers() >= wanted or len(self.alive()) < wanted, 90, "Flink's TaskManagers")
            if len(self.alive()) == wanted:
                return

    def replace(self) -> None:
        """Start others in the place of TaskManagers that have ended by themselves."""
        if len(self.alive()) < len(self.managers):
            self.add(0)

    def _look_after_ended(self) -> None:
        """Say how TaskManagers ended that nobody has killed. Raises RuntimeError where it happens again and again."""
        for name, process in list(self.managers.items()):
            if (status := process.poll()) is not None:
                del self.managers[name]
                self.ended += 1
                words = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                print(f"{name} has ended by itself with status {status}:\n{words}", flush=True)
        if self.ended > 5:
            raise RuntimeError(f"TaskManagers end by themselves, see {self.folder}")

    def alive(self) -> list[str]:
        """The TaskManagers that run."""
        return [name for name, process in self.managers.items() if process.poll() is None]

    def kill(self, name: str) -> None:
        """End a TaskManager and its Python workers without a word, as a lost machine does."""
        process = self.managers.pop(name)
        below = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        for child in below:
            if child.is_running():
                child.kill()

    def submit(self, *words: str, slots: int, savepoint: str = "") -> str:
        """Start the job on so many slots, perhaps where another ended; returns its id."""
        before = set(self.rest.jobs())
        python = ENGINE / "venv" / "bin" / "python"
        run = [flink_home() / "bin" / "flink", "run", "--detached", "-m", f"127.0.0.1:{self.port}"]
        run += ["-pyclientexec", python, "-pyexec", python, "-p", slots, *(["-s", savepoint] if savepoint else [])]
        job = [
            "-pym",
            "scale.flink_job",
            "--connector",
            connector(),
            "--checkpoints",
            (self.folder / "checkpoints").as_uri(),
        ]
        environment = {
            **os.environ, **self._environment(), "FLINK_CONF_DIR": str(self.folder / "conf"),
            "JVM_ARGS": " ".join(["-Xmx192m", *SMALL_JVM, *OPENS]),
            "FLINK_LOG_DIR": str(self.folder),
        }  # fmt: skip
        command = [str(word) for word in (*run, *job, *words)]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        (self.folder / "submit.log").write_text(done.stdout + done.stderr)
        if done.returncode:
            raise RuntimeError((done.stdout + done.stderr)[-3000:])
        return (set(self.rest.jobs()) - before).pop()

    def memory(self) -> int:
        """Bytes of resident memory of the cluster and its Python workers."""
        return sum(resident(process) for process in (self.master, *self.managers.values()))

    def close(self) -> None:
        """End all of it."""
        for name in self.alive():
            self.kill(name)
        end(self.master)


def resident(process: subprocess.Popen[bytes]) -> int:
    """Bytes of resident memory of a process and those below it."""
    total = 0
    if process.poll() is None:
        found = psutil.Process(process.pid)
        for one in (found, *found.children(recursive=True)):
            try:
                total += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    return total
