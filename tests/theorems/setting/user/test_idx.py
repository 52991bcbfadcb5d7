"""MNIST's file format: what is written is read, packed or not; what is damaged is named in one line."""

import gzip
import struct

import numpy as np
import pytest

from theorems.learned_flows.images import load
from theorems.setting.user.idx import read

NAME = "train-images-idx3-ubyte"


def written(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(256, size=(5, 6, 6), dtype=np.uint8)


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_written_is_read(tmp_path, images, packed):
    if packed:
        (tmp_path / f"{NAME}.gz").write_bytes(gzip.compress(written(images)))
    else:
        (tmp_path / NAME).write_bytes(written(images))
    np.testing.assert_array_equal(read(tmp_path, NAME, axes=3), images)


def test_labels_have_one_axis(tmp_path):
    labels = np.arange(10, dtype=np.uint8)
    (tmp_path / "labels").write_bytes(written(labels))
    np.testing.assert_array_equal(read(tmp_path, "labels", axes=1), labels)


DAMAGE = {
    "empty": lambda _: b"",
    "cut in the header": lambda whole: whole[:9],
    "cut in the data": lambda whole: whole[:-1],
    "too long": lambda whole: whole + b"x",
    "another type": lambda whole: whole[:2] + b"\x0d" + whole[3:],
    "another number of axes": lambda whole: whole[:3] + b"\x01" + whole[4:],
    "text": lambda _: b"<html>not found</html>",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("packed", [False, True])
def test_damage_is_named_in_one_line(tmp_path, images, damage, packed):
    path = tmp_path / (f"{NAME}.gz" if packed else NAME)
    content = damage(written(images))
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ValueError, match=r"\A[^\n]*\Z") as caught:
        read(tmp_path, NAME, axes=3)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda _: b"not gzip"])
def test_a_damaged_gzip_is_named(tmp_path, images, damage):
    path = tmp_path / f"{NAME}.gz"
    path.write_bytes(damage(gzip.compress(written(images))))
    with pytest.raises(ValueError, match="cannot be read"):
        read(tmp_path, NAME, axes=3)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=rf"{NAME}: there is no such file, nor {NAME}\.gz"):
        read(tmp_path, NAME, axes=3)


def test_images_of_mnist_become_points(tmp_path, images):
    (tmp_path / NAME).write_bytes(written(images))
    loaded = load(tmp_path)
    assert (loaded.dim, loaded.side) == (36, 6)
    np.testing.assert_allclose(loaded.points + loaded.mean, images.reshape(5, 36) / 255, atol=1e-15)
    np.testing.assert_allclose(loaded.points.mean(axis=0), 0, atol=1e-15)


def test_images_that_are_not_square_are_refused(tmp_path, images):
    (tmp_path / NAME).write_bytes(written(images[:, :4]))
    with pytest.raises(ValueError, match="square"):
        load(tmp_path)


def test_distance_is_that_to_the_nearest_image():
    digits, rng = load(None), np.random.default_rng(0)
    x = rng.standard_normal((30, 64))
    far = np.linalg.norm(x[:, None] - digits.points[None], axis=2).min(axis=1)
    np.testing.assert_allclose(digits.distance(x), far, rtol=1e-12)
    np.testing.assert_allclose(digits.distance(digits.points[:50]), 0, atol=1e-6)


def test_principal_directions_carry_the_most():
    digits = load(None)
    leading = digits.principal(10)
    np.testing.assert_allclose(leading @ leading.T, np.eye(10), atol=1e-12)
    values = np.linalg.svd(digits.points, compute_uv=False) ** 2
    np.testing.assert_allclose(((digits.points @ leading.T) ** 2).sum(), values[:10].sum(), rtol=1e-12)
