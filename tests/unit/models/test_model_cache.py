import json

import pytest

from models.alignments import add_alignments, prepare
from models.cache import ModelCache, default_root
from models.checksum import Digest, digest_of_etag
from models.errors import CacheError, ModelLoadError, UnknownModelError
from models.hub import DEFAULT_HUB, hub_url, is_offline
from models.onnx import open_onnx
from models.registry import ModelFile, best_voice, best_whisper, card, catalog

pytestmark = pytest.mark.unit


def install(root, name, kind="whisper", data=b"weights"):
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(data)
    manifest = {"name": name, "kind": kind, "files": {"model.bin": {"bytes": len(data)}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_every_card_can_be_fetched_and_says_its_licence():
    for name, model in catalog().items():
        assert model.files and model.licence and model.source and model.main_file
        assert name == model.name and model.repo.count("/") == 1
        assert all(file.sha256 is None or len(file.sha256) == 64 for file in model.files)


def test_a_piper_voice_lies_in_a_folder_of_the_repository_and_flat_on_disk():
    voice = card("en_US-amy-medium")
    assert voice.main_file == "en_US-amy-medium.onnx"
    assert voice.files[0].path == "en/en_US/amy/medium/en_US-amy-medium.onnx"


def test_an_unknown_card_names_the_known():
    with pytest.raises(UnknownModelError, match="whisper-base.en"):
        card("whisper-enormous")


@pytest.mark.parametrize("name", ["../x", "a/b", "", "..", "/etc/passwd"])
def test_a_file_cannot_leave_its_folder(name):
    with pytest.raises(ValueError, match="plain name"):
        ModelFile(name, name)


def test_the_best_for_a_language():
    assert best_whisper("en-GB") == "whisper-base.en" and best_whisper("de") == "whisper-base"
    assert best_voice("de-AT") == "de_DE-thorsten-medium" and best_voice("ja") is None


def test_where_models_are_kept():
    assert str(default_root({"VISAVIS_HOME": "/v"})) == "/v/models"
    assert str(default_root({"XDG_CACHE_HOME": "/c"})) == "/c/visavis/models"
    assert str(default_root({"HOME": "/root"})).endswith(".cache/visavis/models")


def test_the_environment_names_hub_and_offline():
    assert hub_url({}) == DEFAULT_HUB and hub_url({"VISAVIS_HUB": "http://mirror/"}) == "http://mirror"
    assert [is_offline({"VISAVIS_OFFLINE": v}) for v in ("1", "true", "0", "")] == [True, True, False, False]
    assert not is_offline({})


def test_an_empty_or_missing_cache_has_nothing(tmp_path):
    assert ModelCache(tmp_path / "none").installed() == []


def test_the_best_model_comes_first(tmp_path):
    for name in ("my-own", "whisper-tiny.en", "whisper-base.en"):
        install(tmp_path, name)
    assert list(ModelCache(tmp_path).folders("whisper")) == ["whisper-base.en", "whisper-tiny.en", "my-own"]
    assert ModelCache(tmp_path).folders("piper") == ModelCache(tmp_path).files("piper") == {}
    assert ModelCache(tmp_path).files("whisper")["my-own"] == tmp_path / "my-own" / "model.bin"


@pytest.mark.parametrize("harm", ["no file", "short file", "no manifest", "broken manifest", "strange manifest"])
def test_a_damaged_model_is_not_there(tmp_path, harm):
    folder = install(tmp_path, "whisper-base.en")
    match harm:
        case "no file":
            (folder / "model.bin").unlink()
        case "short file":
            (folder / "model.bin").write_bytes(b"wei")
        case "no manifest":
            (folder / "manifest.json").unlink()
        case "broken manifest":
            (folder / "manifest.json").write_text("{")
        case "strange manifest":
            (folder / "manifest.json").write_text('{"files": {"model.bin": 3}}')
    assert ModelCache(tmp_path).find("whisper-base.en") is None


def test_removing_takes_the_half_fetched_too(tmp_path):
    cache = ModelCache(tmp_path)
    install(tmp_path, "whisper-base.en")
    cache.partial_folder("whisper-base.en").mkdir(parents=True)
    assert cache.remove("whisper-base.en") and not cache.remove("whisper-base.en")
    assert cache.installed() == [] and not cache.partial_folder("whisper-base.en").exists()


def test_a_model_that_is_being_fetched_is_not_removed(tmp_path):
    cache = ModelCache(tmp_path)
    install(tmp_path, "whisper-base.en")
    with cache.lock("whisper-base.en"), pytest.raises(CacheError, match="being fetched"):
        ModelCache(tmp_path).remove("whisper-base.en")
    assert cache.find("whisper-base.en") is not None


@pytest.mark.parametrize("name", ["..", "../models", "", ".partial", "a/b"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    root = tmp_path / "models"
    install(root, "whisper-base.en")
    assert not ModelCache(root).remove(name) and ModelCache(root).find(name) is None
    assert (root / "whisper-base.en").exists()


def test_a_lock_is_held_against_others(tmp_path):
    cache = ModelCache(tmp_path)
    with cache.lock("m"), pytest.raises(BlockingIOError), ModelCache(tmp_path).lock("m"):
        pass
    with cache.lock("m"):
        pass


def test_etags():
    assert digest_of_etag('"' + "A" * 64 + '"') == Digest("sha256", "a" * 64)
    assert digest_of_etag('W/"' + "b" * 40 + '"') == Digest("git-sha1", "b" * 40)
    assert digest_of_etag('"33a64df5"') is None and digest_of_etag("") is None


def test_a_broken_onnx_file_says_so(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"not a net")
    with pytest.raises(ModelLoadError, match=r"net\.onnx"):
        open_onnx(path)


async def test_a_voice_that_cannot_be_patched_is_kept(tmp_path):
    voice = tmp_path / "v.onnx"
    voice.write_bytes(b"not a voice")
    # /bin/false stands for an interpreter without Piper.
    assert await add_alignments(voice, python="/bin/false") is False
    assert voice.read_bytes() == b"not a voice"


async def test_only_voices_are_patched(tmp_path):
    assert await prepare(card("whisper-tiny.en"), tmp_path) == {}
