"""Board support for ESP32, ESP32-S3 and ESP32-C3. Run on a strict model of the port (simulators/hardware/esp32_api),
not on a physical board so far.

Facts it rests on: the epoch of `time` is 2000; `ticks_ms` wraps; `tx=None` is an invalid pin, not one left out; a UART
and an I2C bus are made once; a UART needs a larger receive buffer than the default for meter telegrams.
"""

import asyncio
import sys
import time

import machine
from esp32 import NVS, Partition

from .. import files, lazy

EPOCH_2000 = 946684800
RING_LABEL = "ring"
_BLOB_MAX = 2048  # bytes of an enrolled file


class Board:
    """An ESP32 whose partition table has a data partition `ring`."""

    name = "esp32"
    has_radio = True
    speed = 1
    tick_ms = 1000  # how often `tick` is called, at least

    def __init__(self, root=""):
        self.root = root
        self.state = root + "/state" if files.is_folder(root + "/state") else root
        self.asked = {}  # names: when a server last gave their address
        self.say = print
        self.buses = {}
        self.air = {}  # temperature and humidity in hundredths, for sensors that correct by them
        self.certificate = ""
        self._conf = {}
        self._net = None
        self._no_net = "no network is configured"
        self._led = None
        self._button = None
        self._lines = {}
        self._pulses = []
        self._poll = None
        self._last = time.ticks_ms()
        self._ticks = 0

    def begin(self, conf, say):
        """The configuration is known: set up the network interface and the LED."""
        self._conf, self.say = conf, say
        try:
            if conf["lan"]:
                from . import lan

                self._net = lan.Lan(self, conf["lan"], say)
            elif conf["wifi"]:
                from . import wifi

                self._net = wifi.Station(self, conf["wifi"], conf["device"], say)
        except (OSError, ValueError) as err:  # no Ethernet chip answers, no memory for Wi-Fi: the node samples
            self._no_net = "cannot be set up before the next start: %s" % err
        if conf["led"] >= 0:
            self._led = lazy.load("hal.led").Led(machine.Pin(conf["led"], machine.Pin.OUT))
        if conf["button"] >= 0:
            self._button = lazy.load("hal.button").Button(self, conf["button"])

    # ---- time ----

    def ticks_ms(self):
        """Milliseconds since the start; never wraps as long as it is asked once in 6 days."""
        now = time.ticks_ms()
        self._ticks += time.ticks_diff(now, self._last)
        self._last = now
        return self._ticks

    def rtc_ms(self):
        """The RTC in unix milliseconds; runs through a reset, and may jump there."""
        return time.time_ns() // 1000000 + EPOCH_2000 * 1000

    def set_rtc(self, unix_ms):
        """Set the RTC: the TLS library checks certificate dates by it."""
        t = time.gmtime(unix_ms // 1000 - EPOCH_2000)
        machine.RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], unix_ms % 1000 * 1000))

    async def sleep_ms(self, ms):
        """Wait; at least one turn of the loop."""
        await asyncio.sleep_ms(max(1, ms))

    async def within(self, job, ms):
        """Await `job`, at most `ms`; asyncio.TimeoutError after that."""
        return await asyncio.wait_for_ms(job, ms)

    # ---- network ----

    async def link(self, beat):
        """Return once there is a network; OSError after a while, so that the caller's back-off applies."""
        if self._net is None:
            raise OSError(118, self._no_net)
        await self._net.up(beat)

    def use(self, net):
        """Take this network interface; None takes it away."""
        self._net = net

    def network(self):
        """The state of the network, for people."""
        return self._net.text() if self._net else "none"

    def rssi(self):
        """Signal strength in dBm, or None without one."""
        return self._net.rssi() if self._net else None

    def name_servers(self):
        """Addresses of the name servers."""
        server = self._net.ifconfig()[3] if self._net else "0.0.0.0"
        return [server] if server != "0.0.0.0" else []

    async def connect(self, host, port, tls, stage):
        """Open a TCP connection, with TLS and both certificates when `tls` names them."""
        return await lazy.load("net.dial").dial(self, host, port, tls, stage)

    # ---- buses ----

    def uart(self, port, baud, options):
        """Return the UART, the same one each time; options: `rx`, `tx` pins, `bits`, `parity` (0 even, 1 odd),
        `invert`, `rxbuf`. OSError for UART 0: what arrives there, the console gets.
        """
        if not port:
            raise OSError(16, "UART 0 is the console")
        if port in self._lines:
            return self._lines[port]
        wanted = {"baudrate": baud, "bits": options.get("bits", 8), "parity": options.get("parity"), "stop": 1}
        for key in ("rx", "tx"):
            if key in options:
                wanted[key] = options[key]
        if "rx" in wanted and "tx" not in wanted:
            wanted["tx"] = -1  # no pin; left out, it would be a default one, which the flash may need
        wanted["rxbuf"] = options.get("rxbuf", 2048)
        if options.get("invert"):
            wanted["invert"] = machine.UART.INV_RX
        self._lines[port] = machine.UART(port, **wanted)
        return self._lines[port]

    def drop_uart(self, port):
        """A UART is part of the chip; there is nothing to open again."""

    def i2c(self, bus, options):
        """Return the bus, the same one each time; options: `sda`, `scl` pins, `freq`."""
        key = "i2c%d" % bus
        if key not in self._lines:
            scl, sda = machine.Pin(options["scl"]), machine.Pin(options["sda"])
            lazy.load("hal.i2crescue").free(machine.Pin, options["scl"], options["sda"])
            self._lines[key] = machine.I2C(bus, sda=sda, scl=scl, freq=options.get("freq", 100000))
        return self._lines[key]

    def pulses(self, pin, options):
        """Return the pulse counter on a pin: the chip's own where there is one, else interrupts."""
        module = lazy.load("hal.counters")
        unit = len(self._pulses)
        made = module.Pulses(self, pin, module.counter(machine, unit, pin, options))
        self._pulses.append(made)
        return made

    def analog(self, pin):
        """Return the converter on a pin; its `read_uv` is true between about 0.15 and 2.45 V."""
        return machine.ADC(machine.Pin(pin), atten=machine.ADC.ATTN_11DB)

    def microphone(self, options):
        """Return the I2S input; options: `sck`, `ws`, `sd` pins, `rate`."""
        pins = {key: machine.Pin(options[key]) for key in ("sck", "ws", "sd")}
        i2s, rate = machine.I2S, options.get("rate", 16000)
        return i2s(0, mode=i2s.RX, bits=16, format=i2s.MONO, rate=rate, ibuf=2048, **pins)

    def spi(self, options):
        """Return SPI 1, the same one each time, and the chip's select pin; options: `sck`, `mosi`, `miso`, `cs` pins,
        `freq`, `mode`.
        """
        if "spi" not in self._lines:
            sck, mosi, miso = (machine.Pin(options[key]) for key in ("sck", "mosi", "miso"))
            mode = options.get("mode", 3)
            freq = options.get("freq", 200000)
            self._lines["spi"] = machine.SPI(
                1, baudrate=freq, polarity=mode >> 1, phase=mode & 1, sck=sck, mosi=mosi, miso=miso
            )
        return self._lines["spi"], machine.Pin(options["cs"], machine.Pin.OUT, value=1)

    def wire(self, pin):
        """Return a 1-Wire bus."""
        import onewire

        return onewire.OneWire(machine.Pin(pin))

    def output(self, pin, level):
        """Set a pin."""
        key = "pin%d" % pin
        if key not in self._lines:
            self._lines[key] = machine.Pin(pin, machine.Pin.OUT)
        self._lines[key].value(level)

    # ---- flash, vault, watchdog, reset ----

    def flash(self):
        """Return the raw partition of the record ring."""
        return Partition.find(Partition.TYPE_DATA, label=RING_LABEL)[0]

    def spare_image(self):
        """The partition for the next ROMFS image; OSError where the board lacks it or the room to exchange images."""
        found = [Partition.find(Partition.TYPE_DATA, label=label) for label in ("romfs_b", "swap")]
        if not all(found):
            raise OSError(19, "no partitions romfs_b and swap: the ROMFS image is replaced with a cable")
        return found[0][0]

    def enrolled(self, name):
        """The bytes of an enrolled file, or of its copy in NVS; OSError that names it."""
        data = files.read(self.root + "/" + name)
        data = self.vault(name) if data is None else data
        if data is None:
            raise OSError(2, name + " is missing")
        return data

    def vault(self, name, data=None):
        """A copy in NVS, outside of the file system: read, or write when `data` is given (empty: remove); None where
        there is none.
        """
        key = name[:15]
        try:
            nvs = NVS("cityvitals")  # it refuses a new name when it is full
            if data is None:
                buf = bytearray(_BLOB_MAX)
                return bytes(buf[: nvs.get_blob(key, buf)])
            nvs.set_blob(key, data) if data else nvs.erase_key(key)
            nvs.commit()
            return data
        except OSError:
            return None

    def count(self, number=None):
        """The boot number in NVS: read, or write."""
        try:
            nvs = NVS("cityvitals")
            if number is None:
                return nvs.get_i32("boots")
            nvs.set_i32("boots", number)
            nvs.commit()
            return number
        except OSError:
            return 0

    def keep(self, data=None):
        """Bytes in RTC memory, which survives a reset but not a loss of power."""
        return machine.RTC().memory() if data is None else machine.RTC().memory(data)

    def watchdog(self, timeout_ms):
        """Start the hardware watchdog; it cannot be stopped."""
        return machine.WDT(timeout=timeout_ms)

    def battery_mv(self):
        """Millivolts of the battery behind its divider (`battery`: pin, ratio in thousandths), or None."""
        battery = self._conf["battery"]
        if not battery:
            return None
        key = "adc%d" % battery["pin"]
        if key not in self._lines:
            self._lines[key] = self.analog(battery["pin"])
        return self._lines[key].read_uv() // 1000 * battery.get("ratio", 2000) // 1000

    def tick(self, online):
        """Once a second: keep the pulse counts over a reset, show the state on the LED."""
        for pulses in self._pulses:
            pulses.keep()
        if self._led:
            self._led.show(online, self._net is not None and self._net.connected())
        if self._button:
            self._button.look()

    def key_pressed(self):
        """Whether somebody typed `?` on the console."""
        if self._poll is None:
            import select

            self._poll = select.poll()
            self._poll.register(sys.stdin, select.POLLIN)
        return bool(self._poll.poll(0)) and sys.stdin.read(1) == "?"

    def reset_cause(self):
        """As machine.reset_cause() counts them; a brown-out is reported as power-on."""
        return machine.reset_cause()

    def reset(self):
        """Start again."""
        for pulses in self._pulses:
            pulses.keep()
        machine.reset()

    def deep_sleep(self, ms):
        """Switch all off but the RTC and its memory; the node starts again after `ms`."""
        for pulses in self._pulses:
            pulses.keep()
        machine.deepsleep(ms)

    def sync_files(self):
        """LittleFS writes through."""
