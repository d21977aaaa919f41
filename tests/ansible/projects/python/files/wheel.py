# Makes a package of one line below /srv/python/wheels: NAME VERSION [REQUIREMENT].
import sys
import zipfile

name, version, needs = sys.argv[1], sys.argv[2], sys.argv[3:]
info = f"{name}-{version}.dist-info"
path = f"/srv/python/wheels/{name}-{version}-py3-none-any.whl"
with zipfile.ZipFile(path, "w") as wheel:
    wheel.writestr(zipfile.ZipInfo(f"{name}.py"), f"version = '{version}'\n")
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    head += "".join(f"Requires-Dist: {need}\n" for need in needs)
    wheel.writestr(zipfile.ZipInfo(f"{info}/METADATA"), head)
    wheel.writestr(
        zipfile.ZipInfo(f"{info}/WHEEL"),
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    )
    record = "".join(f"{file},,\n" for file in (f"{name}.py", f"{info}/METADATA", f"{info}/WHEEL"))
    wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD"), record + f"{info}/RECORD,,\n")
